// Holds the code to the examples of PROTOCOL.md.
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/base/clock.h"
#include "runtime/testing/loop_until.h"
#include "runtime/testing/protocol_examples.h"
#include "runtime/testing/udp_client.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_session.h"

namespace rawgate::chat {
namespace {

// Plays client and operator over real sockets. What the server sends is typed by an operator, but
// for the automatic answer.
void Play(const testing::Example& example) {
  ASSERT_EQ(example.messages.size(), 2u);
  ASSERT_EQ(example.messages[0].side, 'C');
  ASSERT_EQ(example.messages[1].side, 'S');
  const std::string& question = example.messages[0].bytes;
  const std::string& answer = example.messages[1].bytes;
  const bool automatic = absl::StartsWith(example.name, "automatic");

  SystemClock clock;
  ChatCore core(clock, {.text = automatic ? "We open at nine." : ""});
  ChatDatagramSession session(core);
  boost::asio::io_context loop(1);
  observe::EventLog events;
  net::DatagramListener listener(loop, "udp", net::Endpoint::Parse("udp://127.0.0.1:0").value(),
                                 ChatDatagramSession::Options(), session, events);
  ASSERT_TRUE(listener.Start().ok());
  testing::UdpClient client(listener.bound_uri());
  const std::string id = client.endpoint().HostPort();

  ASSERT_TRUE(client.Send(question));
  ASSERT_TRUE(testing::RunUntil(loop, [&] { return core.HasSession(id); }));
  ASSERT_EQ(core.ListMessages(id, 0, 1, 1)->front().body, question);
  if (!automatic) {
    ASSERT_TRUE(session.Send(id, {.body = answer}).ok());
  }

  EXPECT_EQ(testing::Receive(loop, client), answer);
}

TEST(ChatProtocolTest, ExamplesAreTrue) {
  const auto examples = testing::ReadExamples("services/chat/PROTOCOL.md");
  EXPECT_EQ(examples.size(), 4u);
  for (const testing::Example& example : examples) {
    SCOPED_TRACE(example.name);
    Play(example);
  }
}

}  // namespace
}  // namespace rawgate::chat
