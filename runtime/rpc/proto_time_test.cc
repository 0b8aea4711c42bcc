#include "runtime/rpc/proto_time.h"

#include <limits>

#include "gtest/gtest.h"

namespace rawgate::rpc {
namespace {

google::protobuf::Duration MakeDuration(int64_t seconds, int32_t nanos) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  duration.set_nanos(nanos);
  return duration;
}

google::protobuf::Timestamp MakeTimestamp(int64_t seconds, int32_t nanos) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

TEST(ProtoTime, TimesRoundTrip) {
  for (const absl::Time time : {absl::UnixEpoch(), absl::FromUnixNanos(1'234'567'890'123'456'789),
                                absl::FromUnixNanos(-1)}) {
    const auto timestamp = ToProto(time);
    EXPECT_GE(timestamp.nanos(), 0) << "nanos count forward, before 1970 too";
    EXPECT_EQ(FromProto(timestamp), time);
  }
}

TEST(ProtoTime, TimesBeyondProtobufsRangeBecomeItsEnds) {
  EXPECT_EQ(ToProto(absl::InfinitePast()).seconds(), -62'135'596'800);
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).seconds(), 253'402'300'799);
}

TEST(ProtoTime, DurationsRoundTrip) {
  for (const absl::Duration duration : {absl::ZeroDuration(), absl::Nanoseconds(1),
                                        absl::Milliseconds(-1500), absl::Hours(24 * 365 * 300)}) {
    EXPECT_EQ(FromProto(ToProto(duration)), duration);
  }
  EXPECT_EQ(ToProto(absl::Milliseconds(-1500)).seconds(), -1);
  EXPECT_EQ(ToProto(absl::Milliseconds(-1500)).nanos(), -500'000'000);
}

TEST(ProtoTime, DurationsBeyondProtobufsRangeBecomeItsEnds) {
  EXPECT_EQ(ToProto(absl::InfiniteDuration()).seconds(), 315'576'000'000);
  EXPECT_EQ(ToProto(-absl::InfiniteDuration()).seconds(), -315'576'000'000);
}

TEST(ProtoTime, BrokenMessagesAreRefused) {
  EXPECT_EQ(FromProto(MakeDuration(1, -1)), std::nullopt);
  EXPECT_EQ(FromProto(MakeDuration(-1, 1)), std::nullopt);
  EXPECT_EQ(FromProto(MakeDuration(0, 1'000'000'000)), std::nullopt);
  EXPECT_EQ(FromProto(MakeDuration(std::numeric_limits<int64_t>::max(), 0)), std::nullopt);
  EXPECT_EQ(FromProto(MakeDuration(std::numeric_limits<int64_t>::min(), 0)), std::nullopt);
  EXPECT_EQ(FromProto(MakeTimestamp(0, -1)), std::nullopt);
  EXPECT_EQ(FromProto(MakeTimestamp(0, 1'000'000'000)), std::nullopt);
  EXPECT_EQ(FromProto(MakeTimestamp(std::numeric_limits<int64_t>::max(), 0)), std::nullopt);
}

}  // namespace
}  // namespace rawgate::rpc
