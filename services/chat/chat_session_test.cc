#include "services/chat/chat_session.h"

#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/testing/loop_until.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/udp_client.h"

namespace rawgate::chat {
namespace {

using testing::UdpClient;

class ChatSessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<net::DatagramListener> Started(absl::string_view uri) {
    auto listener =
        std::make_unique<net::DatagramListener>(loop_, "udp", net::Endpoint::Parse(uri).value(),
                                                ChatDatagramSession::Options(), session_, events_);
    const absl::Status started = listener->Start();
    EXPECT_TRUE(started.ok()) << started;
    return listener;
  }
  bool RunUntil(const std::function<bool()>& done) { return testing::RunUntil(loop_, done); }
  // Sends, and returns when the core has heard it.
  void Say(UdpClient& client, absl::string_view body) {
    const std::string id = client.endpoint().HostPort();
    const uint64_t heard = Find(id).heard;
    ASSERT_TRUE(client.Send(body));
    ASSERT_TRUE(RunUntil([&] { return Find(id).heard > heard; }));
  }
  std::string Receive(UdpClient& client) { return testing::Receive(loop_, client); }
  Session Find(absl::string_view id) {
    for (const Session& session : core_.ListSessions(std::numeric_limits<uint64_t>::max(), 1000)) {
      if (session.id == id) return session;
    }
    return {};
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
  ChatCore core_{clock_, {.text = "The desk opens at nine."}};
  ChatDatagramSession session_{core_};
  boost::asio::io_context loop_{1};
  observe::EventLog events_;
};

TEST_F(ChatSessionTest, MessagesReachTheDeskAndAnswersTheirSender) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient a(listener->bound_uri());
  UdpClient b(listener->bound_uri());
  Say(a, "from a");
  Say(b, "");
  EXPECT_EQ(Receive(a), "The desk opens at nine.");
  EXPECT_EQ(Receive(b), "The desk opens at nine.");

  const auto answer = session_.Send(a.endpoint().HostPort(), "to a", "Ada");
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
    ASSERT_TRUE(session_.Send(client->endpoint().HostPort(), "answer", "").ok());
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
  EXPECT_EQ(ReasonOf(session_.Send("127.0.0.1:1", "x", "").status()), "SESSION_NOT_FOUND");
  EXPECT_EQ(ReasonOf(session_.Send("", "x", "").status()), "SESSION_NOT_FOUND");
}

TEST_F(ChatSessionTest, AnAnswerThatCannotBeSentIsNoMessage) {
  const auto listener = Started("udp://127.0.0.1:0");
  UdpClient client(listener->bound_uri());
  Say(client, "hello");
  listener->Stop([] {});
  const absl::Status status = session_.Send(client.endpoint().HostPort(), "x", "").status();
  EXPECT_EQ(ReasonOf(status), "SERVICE_STOPPED");
  EXPECT_EQ(Find(client.endpoint().HostPort()).sent, 1u) << "the automatic answer";

  ASSERT_TRUE(listener->Start().ok());
  EXPECT_TRUE(session_.Send(client.endpoint().HostPort(), "x", "").ok())
      << "sessions survive a stop";
}

TEST_F(ChatSessionTest, TheAutomaticAnswerIsCutToWhatMayBeSent) {
  const net::Endpoint peer = net::Endpoint::Parse("udp://192.0.2.1:4000").value();
  std::string reply(8, '?');
  EXPECT_EQ(session_.OnDatagram({peer, "hello"}, reply), 8u);
  EXPECT_EQ(reply, "The desk");
}

}  // namespace
}  // namespace rawgate::chat
