// Answers after a restart: to sessions that an earlier process has kept.
#include <arpa/inet.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_address.h"
#include "services/chat/chat_history_testing.h"
#include "services/chat/chat_session_testing.h"

namespace rawgate::chat {
namespace {

class RestoredChatSessionTest : public ChatSessionTest {
 protected:
  // As an earlier process left it.
  void Restore(const net::Endpoint& peer, const std::string& listener,
               const net::LocalAddress& local = {}) {
    StoredDesk desk{.last_heard = 1};
    desk.sessions.push_back({.session = {.id = SessionId(peer),
                                         .listener = listener,
                                         .address = std::string(PeerBytes(peer)),
                                         .local = LocalBytes(local),
                                         .heard = 1}});
    core_.Restore(std::move(desk));
  }
  std::string Reason(const std::string& id) {
    return ReasonOf(session_.Send(id, {.body = "answer"}).status());
  }
};

TEST_F(RestoredChatSessionTest, IsAnsweredByTheListenerThatItWroteTo) {
  auto first = Started("udp://127.0.0.1:0");
  net::DatagramListener second(loop_, "udp-2", net::Endpoint::Parse("udp://127.0.0.1:0").value(),
                               ChatDatagramSession::Options(), session_, events_);
  ASSERT_TRUE(second.Start().ok());
  const auto v6 = Started("udp://[::1]:0");
  session_.set_listeners({v6.get(), first.get(), &second});
  UdpClient client(second.bound_uri());
  const std::string id = client.endpoint().HostPort();
  Restore(client.endpoint(), "udp-2");
  EXPECT_EQ(Reason(id), "OK");
  EXPECT_EQ(Receive(client), "answer");
}

TEST_F(RestoredChatSessionTest, IsAnsweredByAnotherOfItsFamilyWhenThatIsGone) {
  const auto v6 = Started("udp://[::1]:0");
  const auto v4 = Started("udp://127.0.0.1:0");
  session_.set_listeners({v6.get(), v4.get()});
  UdpClient client(v4->bound_uri());
  const std::string id = client.endpoint().HostPort();
  Restore(client.endpoint(), "udp-7");
  EXPECT_EQ(Reason(id), "OK");
  EXPECT_EQ(Receive(client), "answer");
}

TEST_F(RestoredChatSessionTest, IsAnsweredFromTheAddressThatItWroteTo) {
  const auto all = Started("udp://0.0.0.0:0");
  session_.set_listeners({all.get()});
  const std::string uri = all->bound_uri();
  // Connected: hears no other address.
  UdpClient client(absl::StrCat("udp://127.0.0.2", uri.substr(uri.rfind(':'))));
  net::LocalAddress local{.family = AF_INET};
  inet_pton(AF_INET, "127.0.0.2", &local.ip);
  Restore(client.endpoint(), "udp", local);
  EXPECT_EQ(Reason(client.endpoint().HostPort()), "OK");
  EXPECT_EQ(Receive(client), "answer");
}

TEST_F(ChatSessionTest, WhatItTakesToAnswerAPeerIsKept) {
  const auto all = Started("udp://0.0.0.0:0");
  const std::string uri = all->bound_uri();
  UdpClient client(absl::StrCat("udp://127.0.0.2", uri.substr(uri.rfind(':'))));
  Say(client, "hello");
  EXPECT_EQ(Receive(client), "The desk opens at nine.");
  const Session session = Find(client.endpoint().HostPort());
  EXPECT_EQ(session.address, PeerBytes(client.endpoint()));
  net::LocalAddress local{.family = AF_INET};
  inet_pton(AF_INET, "127.0.0.2", &local.ip);
  EXPECT_EQ(session.local, LocalBytes(local));

  // The listener's table is shorter than the desk's.
  std::vector<net::ConnectionInfo> peers;
  all->List(0, 10, &peers);
  for (const auto& peer : peers) ASSERT_TRUE(all->CloseConnection(peer.id));
  ASSERT_TRUE(session_.Send(session.id, {.body = "answer"}).ok());
  EXPECT_EQ(Receive(client), "answer");
}

TEST_F(RestoredChatSessionTest, CannotBeAnsweredWithoutAListenerOfItsFamily) {
  const auto v6 = Started("udp://[::1]:0");
  session_.set_listeners({v6.get()});
  Restore(net::Endpoint::Parse("udp://127.0.0.1:4000").value(), "udp");
  EXPECT_EQ(Reason("127.0.0.1:4000"), "SEND_FAILED");
}

TEST_F(RestoredChatSessionTest, IsAnsweredAtThePathOfItsSocket) {
  const HistoryFolder folder;
  const std::string peer = absl::StrCat("unixgram://", folder.path("peer.sock"));
  const auto v4 = Started("udp://127.0.0.1:0");
  const auto local = Started(absl::StrCat("unixgram://", folder.path("desk.sock")));
  session_.set_listeners({v4.get(), local.get()});
  UdpClient client(local->bound_uri(), peer);
  const std::string id = folder.path("peer.sock");
  Restore(net::Endpoint::Parse(peer).value(), "unix");
  EXPECT_EQ(Reason(id), "OK");
  EXPECT_EQ(Receive(client), "answer");
  Say(client, "thanks");
  EXPECT_EQ(Find(id).peer, peer);
}

TEST_F(RestoredChatSessionTest, CannotBeAnsweredWithoutAnAddress) {
  const auto v4 = Started("udp://127.0.0.1:0");
  session_.set_listeners({v4.get()});
  StoredDesk desk{.last_heard = 2};
  const net::Endpoint other = net::Endpoint::Parse("udp://127.0.0.1:4000").value();
  desk.sessions.push_back({.session = {.id = "none", .listener = "udp", .heard = 1}});
  desk.sessions.push_back({.session = {.id = "127.0.0.1:4001",
                                       .listener = "udp",
                                       .address = std::string(PeerBytes(other)),
                                       .heard = 2}});
  core_.Restore(std::move(desk));
  EXPECT_EQ(Reason("none"), "SEND_FAILED");
  EXPECT_EQ(Reason("127.0.0.1:4001"), "SEND_FAILED") << "that of somebody else is none";
}

}  // namespace
}  // namespace rawgate::chat
