// Streams with faults, over loopback.
#include "runtime/net/fault_relay.h"

#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/net/fault_relay_testing.h"

namespace rawgate::net {
namespace {

TEST_F(FaultRelayTest, ServesAsWithoutWhereItOnlyDelays) {
  Listen();
  Set({.stream_received = {.delay = kMillisecond}, .stream_sent = {.delay = kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("one\ntwo\n"));
  EXPECT_EQ(client.ReadExactly(8), "one\ntwo\n");
  ASSERT_TRUE(client.Send("big\n"));
  EXPECT_EQ(client.ReadExactly(kBig), std::string(kBig, 'B'));
  ASSERT_TRUE(client.Send("last\n"));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "last\n");
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kPeerClosed) == 1; }));
}

TEST_F(FaultRelayTest, TheDelayPasses) {
  Listen();
  Set({.stream_sent = {.delay = 150 * kMillisecond}});
  RawClient client(Uri());
  const Nanoseconds begun = MonotonicNow();
  ASSERT_TRUE(client.Send("a\n"));
  EXPECT_EQ(client.ReadExactly(2), "a\n");
  EXPECT_GE(MonotonicNow() - begun, 150 * kMillisecond);
}

TEST_F(FaultRelayTest, PeersKeepTheirNames) {
  const std::string path = absl::StrCat("/tmp/rawgate-fault-test-", ::getpid());
  Listen({}, "unix://" + path);
  Set({.stream_sent = {.delay = kMillisecond}});
  RawClient local("unix://" + path);
  EXPECT_TRUE(Eventually([&] { return Open() == 1; }));
  EXPECT_EQ(PeerName(), absl::StrCat("unix:pid=", ::getpid(), ",uid=", ::getuid()));
}

TEST_F(FaultRelayTest, PeersOverTcpKeepTheirNames) {
  Listen();
  Set({.stream_sent = {.delay = kMillisecond}});
  RawClient client(Uri());
  EXPECT_TRUE(Eventually([&] { return Open() == 1; }));
  EXPECT_EQ(PeerName(), Endpoint::LocalOf(Transport::kTcp, client.fd()).ToUri());
}

// Answers each read with its size, in a line.
class SizeTeller final : public StreamHandler {
 public:
  asio::awaitable<Next> Serve(Connection& connection) override {
    const ReadResult read = co_await connection.Read(StreamListener::Scratch());
    if (read.kind != ReadResult::Kind::kData) co_return Next::kClose;
    const std::string line = absl::StrCat(read.size, "\n");
    co_return co_await connection.Write(line) ? Next::kPark : Next::kClose;
  }
};

TEST_F(FaultRelayTest, EachPieceIsAReadOfTheService) {
  Listen();  // what TearDown() looks at
  SizeTeller teller;
  StreamListener listener(thread_.loop(), "sizes", *Endpoint::Parse("tcp://127.0.0.1:0"), {},
                          teller, events_);
  const std::string uri = thread_.Run([&] {
    EXPECT_TRUE(listener.Start().ok());
    listener.SetFaults({.stream_received = {.split_bytes = 4}});
    return listener.bound_uri();
  });
  RawClient client(uri);
  ASSERT_TRUE(client.Send("hello world"));
  EXPECT_EQ(client.ReadExactly(6), "4\n4\n3\n");
  std::atomic<bool> drained{false};
  thread_.Run([&] { listener.Stop([&] { drained = true; }); });
  EXPECT_TRUE(Eventually([&] { return drained.load(); }));
}

TEST_F(FaultRelayTest, EachPieceIsASegmentForAClient) {
  Listen();
  Set({.stream_sent = {.split_bytes = 2}});
  RawClient client(Uri());
  const Nanoseconds begun = MonotonicNow();
  ASSERT_TRUE(client.Send("0123456789012345678\n"));
  EXPECT_EQ(client.ReadExactly(20), "0123456789012345678\n");
  EXPECT_GE(SegmentsIn(client), 10u);
  // Long enough after the one before for the client to have read that.
  EXPECT_GE(MonotonicNow() - begun, 9 * 2 * kMillisecond);
}

TEST_F(FaultRelayTest, EachPieceIsAReadForAClientOnAUnixSocket) {
  const std::string path = absl::StrCat("/tmp/rawgate-fault-test-", ::getpid());
  Listen({}, "unix://" + path);
  Set({.stream_sent = {.split_bytes = 2}});
  RawClient client("unix://" + path);
  ASSERT_TRUE(client.Send("12345\n"));
  for (const char* piece : {"12", "34", "5\n"}) EXPECT_EQ(client.ReadSome(), piece);
}

TEST_F(FaultRelayTest, ManySmallSendsArriveAsOne) {
  Listen();
  Set({.stream_sent = {.merge_bytes = 12}});
  RawClient client(Uri());
  for (const char* line : {"one\n", "two\n", "six\n"}) ASSERT_TRUE(client.Send(line));
  EXPECT_EQ(client.ReadSome(), "one\ntwo\nsix\n");
}

TEST_F(FaultRelayTest, TheRateIsKept) {
  Listen();
  Set({.stream_sent = {.bytes_per_second = 50}});
  RawClient client(Uri());
  const Nanoseconds begun = MonotonicNow();
  ASSERT_TRUE(client.Send("0123456789012345678\n"));
  EXPECT_EQ(client.ReadExactly(20), "0123456789012345678\n");
  EXPECT_GE(MonotonicNow() - begun, 300 * kMillisecond);
}

TEST_F(FaultRelayTest, ConnectionsThatWereThereBeforeHaveNone) {
  Listen();
  RawClient before(Uri());
  EXPECT_TRUE(Eventually([&] { return Open() == 1; }));
  Set({.stream_sent = {.cut_after_bytes = 1}});
  ASSERT_TRUE(before.Send("hello\n"));
  EXPECT_EQ(before.ReadExactly(6), "hello\n");
}

TEST_F(FaultRelayTest, TakenAwayTheyAreOverAtOnce) {
  Listen();
  Set({.stream_sent = {.delay = 60'000 * kMillisecond}});
  RawClient client(Uri());
  ASSERT_TRUE(client.Send("hello\n"));
  EXPECT_TRUE(Eventually([&] { return listener_->counters().bytes_sent.value() == 6; }));
  Set({});
  EXPECT_EQ(client.ReadExactly(6), "hello\n");
  ASSERT_TRUE(client.Send("again\n"));
  EXPECT_EQ(client.ReadExactly(6), "again\n");
}

}  // namespace
}  // namespace rawgate::net
