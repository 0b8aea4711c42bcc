// Holds the code to the examples of PROTOCOL.md.
#include <string>

#include <gtest/gtest.h>

#include "runtime/testing/protocol_examples.h"
#include "runtime/testing/raw_client.h"
#include "services/echo/echo_chargen_session.h"
#include "services/echo/echo_discard_session.h"
#include "services/echo/echo_listeners_testing.h"
#include "services/echo/echo_session.h"

namespace rawgate::echo {
namespace {

using ::rawgate::testing::Example;
using ::rawgate::testing::RawClient;

class EchoProtocolTest : public ::testing::Test {
 protected:
  // Of the listener that the example is about.
  net::Listener& ListenerOf(const std::string& name) {
    if (name == "identity") return listeners_.Serve(identity_);
    if (name == "datagram greeting") return listeners_.Serve(greeting_);
    if (name == "datagram identity") return listeners_.Serve(datagram_identity_);
    if (name == "datagram upper") return listeners_.Serve(datagram_upper_);
    if (name == "discard") return listeners_.Serve(discard_);
    if (name == "datagram discard") return listeners_.Serve(datagram_discard_);
    if (name == "chargen") return listeners_.Serve(chargen_);
    return listeners_.Serve(upper_);
  }

  // Handlers first: the listeners go before them.
  EchoStreamSession upper_{Transform::kUpper};
  EchoStreamSession identity_{Transform::kIdentity};
  EchoDatagramSession greeting_{DatagramReply::kGreeting};
  EchoDatagramSession datagram_identity_{DatagramReply::kIdentity};
  EchoDatagramSession datagram_upper_{DatagramReply::kUpper};
  DiscardStreamSession discard_;
  DiscardDatagramSession datagram_discard_;
  ChargenSession chargen_{ByteRate()};
  EchoListeners listeners_;
};

TEST_F(EchoProtocolTest, ExamplesAreTrue) {
  const auto examples = rawgate::testing::ReadExamples("services/echo/PROTOCOL.md");
  ASSERT_EQ(examples.size(), 9);
  for (const Example& example : examples) {
    SCOPED_TRACE(example.name);
    net::Listener& listener = ListenerOf(example.name);
    RawClient client(listener.bound_uri());
    uint64_t sent = 0;
    uint64_t answered = 0;
    for (const rawgate::testing::ExampleMessage& message : example.messages) {
      if (message.side == 'C') {
        ASSERT_TRUE(client.Send(message.bytes));
        sent += message.bytes.size();
      } else {
        EXPECT_EQ(client.ReadExactly(message.bytes.size()), message.bytes);
        answered += message.bytes.size();
      }
    }
    EXPECT_TRUE(rawgate::testing::Eventually(
        [&] { return listener.counters().bytes_received.value() == sent; }));
    // What is answered nothing in its example is answered nothing at all.
    if (answered == 0) {
      EXPECT_EQ(listener.counters().bytes_sent.value(), 0);
    }
  }
}

}  // namespace
}  // namespace rawgate::echo
