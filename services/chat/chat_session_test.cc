#include "services/chat/chat_session.h"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_history_testing.h"
#include "services/chat/chat_session_testing.h"

namespace rawgate::chat {
namespace {

TEST_F(ChatSessionTest, MessagesReachTheDeskAndAnswersTheirSender) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient a(listener->bound_uri());
  UdpClient b(listener->bound_uri());
  Say(a, "from a");
  Say(b, "");
  EXPECT_EQ(Receive(a), "The desk opens at nine.");
  EXPECT_EQ(Receive(b), "The desk opens at nine.");

  const auto answer =
      session_.Send(a.endpoint().HostPort(), {.body = "to a", .operator_name = "Ada"});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->direction, Direction::kOutbound);
  EXPECT_EQ(answer->number, 5u);
  EXPECT_EQ(Receive(a), "to a");
  EXPECT_EQ(b.Receive(), std::nullopt);
}

TEST_F(ChatSessionTest, AnswersLeaveFromTheListenerThatWasWrittenTo) {
  const auto v4 = Started("udp://127.0.0.1:0");
  const auto other = Started("udp://127.0.0.1:0");
  const auto v6 = Started("udp://[::1]:0");
  UdpClient a(v4->bound_uri());
  UdpClient b(other->bound_uri());
  UdpClient c(v6->bound_uri(), "udp://[::1]:0");
  for (UdpClient* client : {&a, &b, &c}) {
    Say(*client, "hello");
    EXPECT_EQ(Receive(*client), "The desk opens at nine.");
    ASSERT_TRUE(session_.Send(client->endpoint().HostPort(), {.body = "answer"}).ok());
    // Connected: hears no other address.
    EXPECT_EQ(Receive(*client), "answer");
  }
}

TEST_F(ChatSessionTest, LongMessagesAreRefusedAndCounted) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient client(listener->bound_uri());
  Say(client, std::string(kBodyMax, 'x'));
  Say(client, std::string(kBodyMax + 1, 'y'));
  Say(client, std::string(65'507, 'z'));
  const Session session = Find(client.endpoint().HostPort());
  EXPECT_EQ(session.received, 1u);
  EXPECT_EQ(session.refused, 2u);
  EXPECT_EQ(core_.ListMessages("", 0, 10, 1 << 20)->front().body, std::string(kBodyMax, 'x'));
  EXPECT_EQ(listener->counters().datagrams_dropped(), 2u);
}

TEST_F(ChatSessionTest, UnknownSessionsCannotBeAnswered) {
  EXPECT_EQ(ReasonOf(session_.Send("127.0.0.1:1", {.body = "x"}).status()), "SESSION_NOT_FOUND");
  EXPECT_EQ(ReasonOf(session_.Send("", {.body = "x"}).status()), "SESSION_NOT_FOUND");
}

TEST_F(ChatSessionTest, AnAnswerThatCannotBeSentIsNoMessage) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient client(listener->bound_uri());
  Say(client, "hello");
  listener->Stop([] {});
  const absl::Status status = session_.Send(client.endpoint().HostPort(), {.body = "x"}).status();
  EXPECT_EQ(ReasonOf(status), "SERVICE_STOPPED");
  EXPECT_EQ(Find(client.endpoint().HostPort()).sent, 1u) << "the automatic answer";

  ASSERT_TRUE(listener->Start().ok());
  EXPECT_TRUE(session_.Send(client.endpoint().HostPort(), {.body = "x"}).ok())
      << "sessions survive a stop";
}

TEST_F(ChatSessionTest, ATryThatIsKeptIsNotSentAgain) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient client(listener->bound_uri());
  Say(client, "hello");
  EXPECT_EQ(Receive(client), "The desk opens at nine.");
  const std::string id = client.endpoint().HostPort();
  const Answer answer{.body = "yes", .operator_name = "Ada", .request_id = "r1"};
  const auto first = session_.Send(id, answer);
  const auto again = session_.Send(id, answer);
  ASSERT_TRUE(first.ok() && again.ok()) << first.status() << again.status();
  EXPECT_EQ(again->number, first->number);
  ASSERT_TRUE(session_.Send(id, {.body = "and no more"}).ok());
  EXPECT_EQ(Receive(client), "yes");
  EXPECT_EQ(Receive(client), "and no more");

  EXPECT_EQ(ReasonOf(session_.Send(id, {.body = "other", .request_id = "r1"}).status()),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(ReasonOf(session_.SendToAll(answer).status()), "REQUEST_ID_REUSED");
  EXPECT_EQ(client.Receive(), std::nullopt);
}

TEST_F(ChatSessionTest, ATryThatFailedIsSentAgain) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient client(listener->bound_uri());
  Say(client, "hello");
  EXPECT_EQ(Receive(client), "The desk opens at nine.");
  const std::string id = client.endpoint().HostPort();
  listener->Stop([] {});
  EXPECT_FALSE(session_.Send(id, {.body = "yes", .request_id = "r1"}).ok());
  ASSERT_TRUE(listener->Start().ok());
  ASSERT_TRUE(session_.Send(id, {.body = "yes", .request_id = "r1"}).ok());
  EXPECT_EQ(Receive(client), "yes");
}

TEST_F(ChatSessionTest, AnAnswerToAllReachesEachOnce) {
  const auto v4 = Started("udp://127.0.0.1:0");
  const auto v6 = Started("udp://[::1]:0");
  UdpClient a(v4->bound_uri());
  UdpClient b(v6->bound_uri(), "udp://[::1]:0");
  UdpClient c(v4->bound_uri());
  for (UdpClient* client : {&a, &b, &c}) {
    Say(*client, "hello");
    EXPECT_EQ(Receive(*client), "The desk opens at nine.");
  }
  v6->Stop([] {});
  const Answer answer{.body = "fire drill", .operator_name = "Ada", .request_id = "r1"};
  const auto first = session_.SendToAll(answer);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_EQ(first->size(), 3u);
  EXPECT_EQ((*first)[0].session_id, c.endpoint().HostPort()) << "heard from last";
  EXPECT_EQ((*first)[0].message_number, 7u);
  EXPECT_EQ((*first)[1].session_id, b.endpoint().HostPort());
  EXPECT_EQ((*first)[1].message_number, 0u);
  EXPECT_EQ(ReasonOf((*first)[1].status), "SERVICE_STOPPED");
  EXPECT_EQ((*first)[2].message_number, 8u);

  ASSERT_TRUE(v6->Start().ok());
  const auto again = session_.SendToAll(answer);
  ASSERT_EQ(again->size(), 3u);
  EXPECT_EQ((*again)[0].session_id, c.endpoint().HostPort());
  EXPECT_EQ((*again)[0].message_number, 7u);
  EXPECT_EQ((*again)[1].session_id, a.endpoint().HostPort());
  EXPECT_EQ((*again)[2].session_id, b.endpoint().HostPort());
  EXPECT_EQ((*again)[2].message_number, 0u);
  EXPECT_EQ(ReasonOf((*again)[2].status), "SEND_FAILED") << "and is not tried again";
  EXPECT_EQ(Receive(a), "fire drill");
  EXPECT_EQ(Receive(c), "fire drill");
  for (UdpClient* client : {&a, &b, &c}) EXPECT_EQ(client->Receive(), std::nullopt);
  EXPECT_EQ(Find(b.endpoint().HostPort()).sent, 1u) << "the automatic answer";
}

TEST_F(ChatSessionTest, NobodyIsThereToBeAnswered) {
  const auto deliveries = session_.SendToAll({.body = "hello?"});
  ASSERT_TRUE(deliveries.ok()) << deliveries.status();
  EXPECT_TRUE(deliveries->empty());
}

// A route that were forgotten before its session would make that unanswerable.
TEST_F(ChatSessionTest, EverySessionThatIsKeptCanBeAnswered) {
  ChatCore core(clock_, {}, {.sessions = 3, .session_expiry = absl::Minutes(1)});
  ChatDatagramSession session(core, {.sessions = 3});
  net::DatagramListener listener(loop_, "udp", net::Endpoint::Parse("udp://127.0.0.1:0").value(),
                                 ChatDatagramSession::Options(), session, events_);
  ASSERT_TRUE(listener.Start().ok());
  std::vector<std::unique_ptr<UdpClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<UdpClient>(listener.bound_uri()));
    UdpClient& client = *clients.back();
    ASSERT_TRUE(client.Send("hello"));
    ASSERT_TRUE(RunUntil([&] { return core.HasSession(client.endpoint().HostPort()); }));
    // Every third one has been seen, and is forgotten before older ones that have not.
    if (i % 3 == 0) {
      const auto watcher = core.Watch(0, client.endpoint().HostPort()).value();
      while (watcher->Take().has_value()) {
      }
    }
    clock_.Advance(absl::Seconds(50));
    core.ForgetExpired();
    for (const Session& kept : core.ListSessions(std::numeric_limits<uint64_t>::max(), 10)) {
      ASSERT_TRUE(session.Send(kept.id, {.body = "answer"}).ok()) << i;
    }
  }
}

TEST_F(ChatSessionTest, AnIdIsTextWhateverThePathIs) {
  const HistoryFolder folder;
  const auto local = Started(absl::StrCat("unixgram://", folder.path("desk.sock")));
  UdpClient client(local->bound_uri(), absl::StrCat("unixgram://", folder.path("p\xff.sock")));
  ASSERT_TRUE(client.Send("hello"));
  EXPECT_EQ(Receive(client), "The desk opens at nine.");
  const std::string id = folder.path("p\\xff.sock");
  EXPECT_EQ(Find(id).peer, absl::StrCat("unixgram://", id));
  ASSERT_TRUE(session_.Send(id, {.body = "answer"}).ok());
  EXPECT_EQ(Receive(client), "answer");
}

TEST_F(ChatSessionTest, TheAutomaticAnswerIsCutToWhatMayBeSent) {
  const net::Endpoint peer = net::Endpoint::Parse("udp://192.0.2.1:4000").value();
  std::string reply(8, '?');
  EXPECT_EQ(session_.OnDatagram({peer, "hello"}, reply), 8u);
  EXPECT_EQ(reply, "The desk");
}

}  // namespace
}  // namespace rawgate::chat
