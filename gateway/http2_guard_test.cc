#include "gateway/http2_guard.h"

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

constexpr int kData = 0;
constexpr int kHeaders = 1;
constexpr int kReset = 3;
constexpr int kSettings = 4;
constexpr int kPing = 6;
constexpr int kWindowUpdate = 8;
constexpr int kContinuation = 9;
constexpr int kEndHeaders = 4;
constexpr int kAck = 1;

class Http2GuardTest : public ::testing::Test {
 protected:
  Http2GuardTest() { EXPECT_TRUE(Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").ok()); }

  static std::string Frame(int type, int flags, uint32_t stream, size_t length = 0) {
    std::string frame;
    for (const int shift : {16, 8, 0}) frame += static_cast<char>(length >> shift & 0xff);
    frame += static_cast<char>(type);
    frame += static_cast<char>(flags);
    for (const int shift : {24, 16, 8, 0}) frame += static_cast<char>(stream >> shift & 0xff);
    return frame + std::string(length, 'x');
  }
  absl::Status Send(absl::string_view bytes) {
    return guard_.Check(
        absl::MakeConstSpan(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
        [this] { return now_; });
  }
  // How many of these frames pass.
  int Passing(const std::string& frame, int at_most) {
    int passed = 0;
    while (passed < at_most && Send(frame).ok()) ++passed;
    return passed;
  }

  net::Nanoseconds now_ = 1;
  Http2Guard guard_;
};

TEST_F(Http2GuardTest, OrdinaryCallsPass) {
  EXPECT_TRUE(Send(Frame(kSettings, 0, 0, 12) + Frame(kSettings, kAck, 0)).ok());
  for (uint32_t stream = 1; stream < 200'001; stream += 2) {
    ASSERT_TRUE(Send(Frame(kHeaders, kEndHeaders, stream, 60) + Frame(kData, 1, stream, 100)).ok());
    ASSERT_TRUE(Send(Frame(kWindowUpdate, 0, stream, 4)).ok());
  }
  EXPECT_EQ(guard_.calls(), 100'000U);
}

TEST_F(Http2GuardTest, HeaderBlocksAreBounded) {
  const std::string begin = Frame(kHeaders, 0, 1, 8000);
  EXPECT_TRUE(Send(begin + Frame(kContinuation, kEndHeaders, 1, 8000)).ok());
  EXPECT_TRUE(Send(Frame(kHeaders, 0, 3, 16'384)).ok());
  const absl::Status refused = Send(Frame(kContinuation, kEndHeaders, 3, 1));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), "HTTP2_FLOOD");
}

TEST_F(Http2GuardTest, EmptyContinuationsAreBounded) {
  EXPECT_TRUE(Send(Frame(kHeaders, 0, 1, 10)).ok());
  EXPECT_EQ(Passing(Frame(kContinuation, 0, 1), 100), Http2Guard::kContinuationsMax);
}

TEST_F(Http2GuardTest, ResetsAreBoundedInEachSecond) {
  EXPECT_TRUE(Send(Frame(kSettings, kAck, 0)).ok());
  const std::string reset = Frame(kReset, 0, 1, 4);
  EXPECT_EQ(Passing(reset, 10'000), 1024);
  now_ += 1'000'000'000;
  EXPECT_NEAR(Passing(reset, 10'000), 1024, 1);
}

TEST_F(Http2GuardTest, FramesThatCarryNothingAreBounded) {
  for (const std::string& frame :
       {Frame(kPing, 0, 0, 8), Frame(kSettings, 0, 0), Frame(kData, 0, 1), Frame(200, 0, 0, 100)}) {
    guard_ = Http2Guard();
    EXPECT_TRUE(Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").ok());
    EXPECT_EQ(Passing(frame, 100'000), 10'000);
  }
}

TEST_F(Http2GuardTest, CallsBeforeTheSettingsAreAcknowledgedAreBounded) {
  // Even ones do not count: gRPC ignores them, and a large one must not hide those that follow.
  EXPECT_TRUE(Send(Frame(kHeaders, kEndHeaders, 0x7ffffffe, 1)).ok());
  uint32_t stream = 1;
  while (stream < 10'000 && Send(Frame(kHeaders, kEndHeaders, stream, 1)).ok()) stream += 2;
  EXPECT_EQ(stream / 2, Http2Guard::kCallsBeforeSettingsMax);
}

TEST_F(Http2GuardTest, HowBytesAreCutMakesNoDifference) {
  std::string stream = Frame(kSettings, kAck, 0) + Frame(kHeaders, 0, 1, 300);
  for (int i = 0; i < Http2Guard::kContinuationsMax; ++i) stream += Frame(kContinuation, 0, 1, 17);
  for (const size_t piece : {size_t{1}, size_t{2}, size_t{9}, size_t{100}}) {
    guard_ = Http2Guard();
    EXPECT_TRUE(Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r").ok());
    EXPECT_TRUE(Send("\n").ok());
    for (size_t at = 0; at < stream.size(); at += piece)
      ASSERT_TRUE(Send(absl::string_view(stream).substr(at, piece)).ok());
    EXPECT_EQ(guard_.calls(), 1U);
    EXPECT_FALSE(Send(Frame(kContinuation, 0, 1)).ok());
  }
}

}  // namespace
}  // namespace rawgate::gateway
