#include "runtime/net/token_bucket.h"

#include "gtest/gtest.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;

int TakeAll(TokenBucket& bucket, const TokenRate& rate, Nanoseconds now) {
  int taken = 0;
  while (bucket.Take(rate, now)) ++taken;
  return taken;
}

TEST(TokenBucketTest, StartsFullWithOneSecondsWorth) {
  const TokenRate rate(100);
  TokenBucket bucket;
  EXPECT_EQ(TakeAll(bucket, rate, 5 * kSecond), 100);
}

TEST(TokenBucketTest, FillsAtItsRateAndNoFurther) {
  const TokenRate rate(100);
  TokenBucket bucket;
  TakeAll(bucket, rate, 0);
  EXPECT_EQ(TakeAll(bucket, rate, kSecond / 100 - 1), 0);
  EXPECT_EQ(TakeAll(bucket, rate, kSecond / 100), 1);
  EXPECT_EQ(TakeAll(bucket, rate, kSecond / 2), 49);
  EXPECT_EQ(TakeAll(bucket, rate, 100 * kSecond), 100);
}

TEST(TokenBucketTest, HoldsOneTokenBelowOneASecond) {
  const TokenRate rate(0.1);
  TokenBucket bucket;
  EXPECT_EQ(TakeAll(bucket, rate, 0), 1);
  EXPECT_EQ(TakeAll(bucket, rate, 10 * kSecond - 1), 0);
  EXPECT_EQ(TakeAll(bucket, rate, 10 * kSecond), 1);
}

TEST(TokenBucketTest, TimeThatStandsStillOrGoesBackGivesNothing) {
  const TokenRate rate(10);
  TokenBucket bucket;
  EXPECT_EQ(TakeAll(bucket, rate, kSecond), 10);
  EXPECT_EQ(TakeAll(bucket, rate, kSecond), 0);
  EXPECT_EQ(TakeAll(bucket, rate, 0), 0);
}

}  // namespace
}  // namespace rawgate::net
