#include "services/exec/exec_peer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using net::Endpoint;

// Two sockets of this process, connected to each other.
struct Pair {
  explicit Pair(const char* uri) {
    Endpoint bound = *Endpoint::Parse(uri);
    const Fd listener(socket(bound.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(listener.get(), bound.data(), bound.size()), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    local = NameOf(listener, getsockname);
    client.Reset(socket(bound.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(connect(client.get(), local.data(), local.size()), 0);
    server.Reset(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    local = NameOf(server, getsockname);
    peer = NameOf(server, getpeername);
  }
  static Endpoint NameOf(const Fd& fd, int (*name)(int, sockaddr*, socklen_t*)) {
    Endpoint endpoint = *Endpoint::Parse("tcp://127.0.0.1:0");
    socklen_t size = Endpoint::capacity();
    EXPECT_EQ(name(fd.get(), endpoint.data(), &size), 0);
    endpoint.set_size(size);
    return endpoint;
  }

  Fd client;
  Fd server;
  Endpoint peer;
  Endpoint local;
};

TEST(SocketOwnersTest, FindsTheOwnerOfALiveSocket) {
  SocketOwners owners;
  for (const char* uri : {"tcp://127.0.0.1:0", "tcp://[::1]:0"}) {
    const Pair pair(uri);
    const auto owner = owners.OwnerOf(pair.peer, pair.local);
    ASSERT_TRUE(owner.ok()) << owner.status();
    EXPECT_EQ(*owner, geteuid());
  }
}

TEST(SocketOwnersTest, StrangersHaveNoOwner) {
  SocketOwners owners;
  Pair pair("tcp://127.0.0.1:0");
  EXPECT_TRUE(owners.OwnerOf(pair.peer, pair.local).ok());
  Endpoint other = pair.peer;
  other.set_port(1);
  EXPECT_EQ(ReasonOf(owners.OwnerOf(other, pair.local).status()), "OWNER_UNKNOWN");
}

constexpr char kTable[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1F92 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 "
    "111 1 0 20 4 30 10 -1\n"
    "   1: 0100007F:D431 0100007F:1F92 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "222 1 0 20 4 30 10 -1\n"
    "   2: 0100007F:D432 0100007F:1F92 04 00000000:00000000 00:00000000 00000000     0        0 0 "
    "1 0 20 4 30 10 -1\n"
    "   3: 0100007F:D433 0100007F:1F92 04 00000000:00000000 00:00000000 00000000  1000        0 0 "
    "1 0 20 4 30 10 -1\n";

absl::StatusOr<uid_t> InTable(int port) {
  return SocketOwners::OwnerIn(kTable, *Endpoint::Parse("tcp://127.0.0.1:" + std::to_string(port)),
                               *Endpoint::Parse("tcp://127.0.0.1:8082"));
}

TEST(SocketOwnersTest, ReadsTheTableOfProc) {
  EXPECT_EQ(*InTable(0xD431), 1000u);
  EXPECT_FALSE(InTable(0xD434).ok());
  EXPECT_FALSE(SocketOwners::OwnerIn("", *Endpoint::Parse("tcp://127.0.0.1:1"),
                                     *Endpoint::Parse("tcp://127.0.0.1:2"))
                   .ok());
}

TEST(SocketOwnersTest, AClosedSocketIsNotTakenForOneOfRoot) {
  EXPECT_EQ(ReasonOf(InTable(0xD432).status()), "OWNER_UNKNOWN");
  // A newer kernel remembers.
  EXPECT_EQ(*InTable(0xD433), 1000u);
}

TEST(SocketOwnersTest, ReadsTheTableOfProcForIpv6) {
  constexpr char kTable6[] =
      "   0: 00000000000000000000000001000000:D431 00000000000000000000000001000000:1F92 01 "
      "00000000:00000000 "
      "00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1\n";
  EXPECT_EQ(*SocketOwners::OwnerIn(kTable6, *Endpoint::Parse("tcp://[::1]:54321"),
                                   *Endpoint::Parse("tcp://[::1]:8082")),
            1000u);
}

TEST(CheckOwnerTest, SameUserOrRoot) {
  EXPECT_TRUE(CheckOwner(1000, 1000).ok());
  EXPECT_TRUE(CheckOwner(0, 1000).ok());
  EXPECT_EQ(ReasonOf(CheckOwner(1001, 1000)), "FOREIGN_USER");
  EXPECT_EQ(ReasonOf(CheckOwner(1000, 0)), "FOREIGN_USER");
}

TEST(PeerPolicyTest, ServesOurselvesAndPeersElsewhere) {
  const Pair pair("tcp://127.0.0.1:0");
  const int fd = pair.server.get();
  PeerPolicy same(LocalUsers::kSame);
  EXPECT_TRUE(same.Check(fd, pair.peer, pair.local).ok());
  EXPECT_TRUE(same.Check(fd, *Endpoint::Parse("tcp://192.0.2.1:5"), pair.local).ok());
  // Loopback, but nobody's: the peer is gone.
  const Endpoint nobody = *Endpoint::Parse("tcp://127.0.0.1:1");
  EXPECT_EQ(ReasonOf(same.Check(fd, nobody, pair.local)), "OWNER_UNKNOWN");
  EXPECT_TRUE(PeerPolicy(LocalUsers::kAny).Check(fd, nobody, pair.local).ok());
}

TEST(PeerPolicyTest, ATlsPeerIsNotTheOwnerOfTheSocketThatWeReadItFrom) {
  const Pair pair("tcp://127.0.0.1:0");
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const Fd inside(ends[0]), outside(ends[1]);
  const Endpoint peer(net::Transport::kTls, pair.peer.data(), pair.peer.size());
  PeerPolicy same(LocalUsers::kSame);
  EXPECT_TRUE(same.Check(inside.get(), peer, pair.local).ok());
  // SO_PEERCRED of the pair would say that this is us.
  EXPECT_EQ(ReasonOf(same.Check(inside.get(), *Endpoint::Parse("tls://127.0.0.1:1"), pair.local)),
            "OWNER_UNKNOWN");
}

TEST(PeerPolicyTest, APeerThatResetBeforeItWasAcceptedIsRefused) {
  const Pair pair("tcp://127.0.0.1:0");
  const sockaddr nothing{};
  const Endpoint gone(net::Transport::kTcp, &nothing, 0);
  EXPECT_EQ(ReasonOf(PeerPolicy(LocalUsers::kSame).Check(pair.server.get(), gone, pair.local)),
            "OWNER_UNKNOWN");
}

TEST(LocalUsersTest, Flag) {
  LocalUsers users = LocalUsers::kSame;
  std::string error;
  EXPECT_TRUE(AbslParseFlag("any", &users, &error));
  EXPECT_EQ(users, LocalUsers::kAny);
  EXPECT_EQ(AbslUnparseFlag(users), "any");
  EXPECT_TRUE(AbslParseFlag("same", &users, &error));
  EXPECT_EQ(AbslUnparseFlag(users), "same");
  EXPECT_FALSE(AbslParseFlag("none", &users, &error));
  EXPECT_EQ(error, "is same or any");
}

}  // namespace
}  // namespace rawgate::exec
