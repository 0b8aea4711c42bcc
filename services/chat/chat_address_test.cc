#include "services/chat/chat_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>
#include <map>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/chat/chat_rows.h"
#include "services/chat/chat_text.h"

namespace rawgate::chat {
namespace {

// As the kernel tells the name of a peer's socket: a path, or an abstract name behind a NUL.
net::Endpoint Unix(absl::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path, sizeof(address.sun_path));
  const size_t end = name[0] == '\0' ? 0 : 1;
  return {net::Transport::kUnixDatagram, reinterpret_cast<const sockaddr*>(&address),
          static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + end)};
}

net::Endpoint LinkLocal(uint32_t scope) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(4000);
  address.sin6_scope_id = scope;
  inet_pton(AF_INET6, "fe80::1", &address.sin6_addr);
  return {net::Transport::kUdp, reinterpret_cast<const sockaddr*>(&address), sizeof(address)};
}

net::Endpoint Inet(absl::string_view uri) { return net::Endpoint::Parse(uri).value(); }

TEST(ChatAddressTest, AnIdIsWhatOperatorsKnowAPeerBy) {
  EXPECT_EQ(SessionId(Inet("udp://127.0.0.1:4000")), "127.0.0.1:4000");
  EXPECT_EQ(SessionId(Inet("udp://[::1]:4000")), "[::1]:4000");
  EXPECT_EQ(SessionId(LinkLocal(2)), "[fe80::1%2]:4000");
  EXPECT_EQ(SessionId(Unix("/run/peer.sock")), "/run/peer.sock");
  EXPECT_EQ(SessionId(Unix(absl::string_view("\0peer", 5))), "@peer");
  EXPECT_EQ(SessionId(Unix("/p\xff.sock")), "/p\\xff.sock");
}

TEST(ChatAddressTest, NoTwoPeersAreOne) {
  const std::string names[] = {"/p\xff.sock",
                               "/p\\xff.sock",
                               "/p\\\\xff.sock",
                               "/p\\\\\\xff.sock",
                               "/p\xff\xfa",
                               "/p\xff"
                               "a",
                               "/p\\xffa",
                               "127.0.0.1:4000",
                               "unnamed",
                               "@peer",
                               "./@peer",
                               "peer",
                               std::string("\0peer", 5),
                               std::string("\0peer\0", 6),
                               std::string("\0./peer", 7)};
  std::map<std::string, std::string> peers;
  const auto add = [&peers](const net::Endpoint& peer) {
    const std::string id = SessionId(peer);
    EXPECT_TRUE(IsValidUtf8(id)) << absl::CHexEscape(id);
    const auto [known, added] = peers.emplace(id, std::string(PeerBytes(peer)));
    EXPECT_TRUE(added || known->second == PeerBytes(peer)) << absl::CHexEscape(id);
  };
  for (const std::string& name : names) add(Unix(name));
  for (const uint32_t scope : {0u, 1u, 2u}) add(LinkLocal(scope));
  add(Inet("udp://127.0.0.1:4000"));
}

TEST(ChatAddressTest, EveryKindOfAddressComesBack) {
  for (const net::Endpoint& peer :
       {Inet("udp://127.0.0.1:4000"), Inet("udp://[::1]:4000"), LinkLocal(2),
        Unix("/run/peer.sock"), Unix("/p\xff.sock"), Unix(absl::string_view("\0a\0b", 4)),
        Unix(std::string(107, '/'))}) {
    const std::string bytes(PeerBytes(peer));
    EXPECT_TRUE(IsPeerAddress(bytes)) << SessionId(peer);
    const net::Endpoint again = PeerFromBytes(bytes);
    EXPECT_EQ(PeerBytes(again), bytes);
    EXPECT_EQ(again.ToUri(), peer.ToUri());
    EXPECT_EQ(SessionId(again), SessionId(peer));
  }
}

TEST(ChatAddressTest, WhatIsNoAddressIsNone) {
  const std::string v4(PeerBytes(Inet("udp://127.0.0.1:4000")));
  const std::string v6(PeerBytes(Inet("udp://[::1]:4000")));
  const std::string path(PeerBytes(Unix("/run/peer.sock")));
  for (const std::string& bytes :
       {std::string("\x02", 1), v4.substr(0, 15), v4 + "x", v6.substr(0, 27), v6 + "x",
        path.substr(0, 2), std::string(v6.data(), 16), path + std::string(110, 'x'),
        std::string(16, '\0'), std::string("\x11\0", 2) + std::string(14, '\0')}) {
    EXPECT_FALSE(IsPeerAddress(bytes)) << absl::CHexEscape(bytes);
  }
}

TEST(ChatAddressTest, OurOwnAddressComesBack) {
  net::LocalAddress v6{.family = AF_INET6, .interface = 0x01020304};
  inet_pton(AF_INET6, "fe80::2", &v6.ip);
  net::LocalAddress v4{.family = AF_INET};
  inet_pton(AF_INET, "127.0.0.2", &v4.ip);
  for (const net::LocalAddress& local : {net::LocalAddress(), v4, v6}) {
    const net::LocalAddress again = LocalFromBytes(LocalBytes(local));
    EXPECT_EQ(again.family, local.family);
    EXPECT_EQ(again.interface, local.interface);
    EXPECT_EQ(std::memcmp(&again.ip, &local.ip, sizeof(local.ip)), 0);
  }
  EXPECT_EQ(LocalFromBytes("what is that").family, AF_UNSPEC);
}

}  // namespace
}  // namespace rawgate::chat
