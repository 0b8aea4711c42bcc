// Holds the code to the examples of PROTOCOL.md.
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/protocol_examples.h"
#include "services/time/time_core.h"
#include "services/time/time_session.h"

namespace rawgate::timesvc {
namespace {

TEST(TimeProtocolTest, ExamplesAreTrue) {
  ::setenv("TZ", "UTC0", 1);
  testing::ManualClock clock(absl::FromUnixSeconds(1'234'567'890));
  TimeCore core(clock);
  TimeDatagramSession session(core);
  const net::DatagramOptions options = TimeDatagramSession::Options();
  const net::Endpoint peer = net::Endpoint::Parse("udp://127.0.0.1:40000").value();

  const auto examples = testing::ReadExamples("services/time/PROTOCOL.md");
  EXPECT_EQ(examples.size(), 6u);
  for (const testing::Example& example : examples) {
    SCOPED_TRACE(example.name);
    ASSERT_EQ(example.messages.size(), 2u);
    ASSERT_EQ(example.messages[0].side, 'C');
    ASSERT_EQ(example.messages[1].side, 'S');
    const std::string& request = example.messages[0].bytes;
    const bool trusted = !absl::StrContains(example.name, "off loopback");
    std::string reply(net::ReplyLimit(trusted, request.size(), options.reply_max), '?');
    const auto size = session.OnDatagram({peer, request}, reply);
    ASSERT_TRUE(size.has_value());
    EXPECT_EQ(reply.substr(0, *size), example.messages[1].bytes);
  }
}

}  // namespace
}  // namespace rawgate::timesvc
