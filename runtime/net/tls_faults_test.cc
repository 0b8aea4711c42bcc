// Faults of a tls:// listener, which are on the wire, below TLS.
#include <string>

#include "runtime/net/tls_listener_testing.h"

namespace rawgate::net {
namespace {

class TlsFaultsTest : public TlsListenerTest {
 protected:
  void Set(const Faults& faults) {
    thread_.Run([&] { listener_->SetFaults(faults); });
  }
  FaultCounters Counters() {
    return thread_.Run([&] { return listener_->fault_counters(); });
  }
};

TEST_F(TlsFaultsTest, WholeConversationsInPieces) {
  Listen(echo_);
  Set({.stream_received = {.delay = 1'000'000, .split_bytes = 9},
       .stream_sent = {.split_bytes = 100}});
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Send("hello"));
  EXPECT_EQ(client.ReadExactly(5), "hello");
  EXPECT_EQ(echo_.peer_, Endpoint::LocalOf(Transport::kTls, client.raw().fd()).ToUri());
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "bye");
  EXPECT_TRUE(client.ended_well());
  EXPECT_TRUE(Closes(CloseReason::kPeerClosed));
}

TEST_F(TlsFaultsTest, ACutIsNoEnd) {
  Listen(flood_);
  Set({.stream_sent = {.cut_after_bytes = 100'000}});
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_TRUE(client.Send("x"));
  EXPECT_LT(client.ReadToEnd().size(), 100'000u);
  EXPECT_FALSE(client.ended_well());
  EXPECT_EQ(Counters().connections_cut, 1u);
  EXPECT_TRUE(Eventually([&] { return Open() == 0; }));
}

TEST_F(TlsFaultsTest, AResetReachesBothEnds) {
  Listen(echo_);
  Set({.stream_received = {.cut_after_bytes = 1000, .cut_with_reset = true}});
  TlsClient client(Uri(), Trusting());
  ASSERT_TRUE(client.ok()) << client.error();
  client.Send(std::string(2000, 'x'));
  client.ReadToEnd();
  EXPECT_FALSE(client.ended_well());
  EXPECT_TRUE(Closes(CloseReason::kReset));
}

TEST_F(TlsFaultsTest, AHandshakeThatIsCutHarmsNobody) {
  Listen(echo_);
  Set({.fail_first = 1, .stream_received = {.cut_after_bytes = 20}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(TlsClient(Uri(), Trusting()).ok());
  }
  EXPECT_TRUE(Eventually([&] { return Counters().connections_cut == 2; }));
  Set({});
  EXPECT_TRUE(TlsClient(Uri(), Trusting()).ok());
}

}  // namespace
}  // namespace rawgate::net
