#include "runtime/http2/stream.h"

#include <string>

#include "gtest/gtest.h"
#include "runtime/http2/connection_testing.h"

namespace rawgate::http2 {
namespace {

using StreamTest = ConnectionTest;

// More than the peer lets go of a stream that it does not read.
constexpr size_t kMoreThanAWindow = 1 << 20;

// What a first request did not get rid of is no part of the next.
TEST_F(StreamTest, OneThatIsBegunAgainSendsNothingOfBefore) {
  server_.consumes = false;
  StartBoth();
  TestStream call;
  TestStream& refused = BeginAtServer(call);
  Do([&] { call.Write(std::string(kMoreThanAWindow, 'x')); });
  ASSERT_TRUE(Until([&] { return !refused.data.empty(); }));
  Do([&] { refused.Abandon(kRefused); });
  ASSERT_TRUE(Until([&] { return call.closed.has_value(); }));
  EXPECT_GT(call.unsent(), 0U);

  call.closed.reset();
  TestStream& abandoned = BeginAtServer(call);
  EXPECT_EQ(call.unsent(), 0U);
  Do([&] { call.Write("second" + std::string(kMoreThanAWindow, 'x')); });
  ASSERT_TRUE(Until([&] { return !abandoned.data.empty(); }));
  EXPECT_EQ(abandoned.data.substr(0, 6), "second");
  Do([&] { call.Abandon(kCancel); });

  TestStream& served = BeginAtServer(call);
  Do([&] {
    call.Write("third");
    call.EndWriting();
  });
  ASSERT_TRUE(Until([&] { return served.ends == 1; }));
  EXPECT_EQ(served.data, "third");
}

}  // namespace
}  // namespace rawgate::http2
