#include "runtime/net/token_bucket.h"

#include <netinet/in.h>

#include "gtest/gtest.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;
using Verdict = SourceRateLimiter::Verdict;

int TakeAll(TokenBucket& bucket, const TokenRate& rate, Nanoseconds now) {
  int taken = 0;
  while (bucket.Take(rate, now)) ++taken;
  return taken;
}

SourceNetwork Source(const char* uri) {
  return SourceNetwork::Of(Endpoint::Parse(uri).value().data());
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

TEST(SourceNetworkTest, IsTheAddressInIpv4) {
  EXPECT_EQ(Source("udp://192.0.2.1:4000"), Source("udp://192.0.2.1:5000"));
  EXPECT_FALSE(Source("udp://192.0.2.1:4000") == Source("udp://192.0.2.2:4000"));
}

TEST(SourceNetworkTest, IsThe64InIpv6) {
  EXPECT_EQ(Source("udp://[2001:db8:1:2::3]:4000"), Source("udp://[2001:db8:1:2:ffff::9]:5000"));
  EXPECT_FALSE(Source("udp://[2001:db8:1:2::3]:4000") == Source("udp://[2001:db8:1:3::3]:4000"));
}

TEST(SourceRateLimiterTest, EachSourceHasItsOwnRate) {
  SourceRateLimiter limiter(/*rate_per_source=*/2, /*rate_global=*/100);
  const SourceNetwork a = Source("udp://192.0.2.1:4000");
  const SourceNetwork b = Source("udp://192.0.2.2:4000");
  EXPECT_EQ(limiter.Take(a, 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(a, 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(a, 0), Verdict::kSourceTooFast);
  EXPECT_EQ(limiter.Take(b, 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(a, kSecond / 2), Verdict::kPass);
}

TEST(SourceRateLimiterTest, ASourceBeyondItsRateTakesNothingFromTheOthers) {
  SourceRateLimiter limiter(/*rate_per_source=*/1, /*rate_global=*/2);
  const SourceNetwork flood = Source("udp://192.0.2.1:4000");
  EXPECT_EQ(limiter.Take(flood, 0), Verdict::kPass);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.Take(flood, 0), Verdict::kSourceTooFast);
  EXPECT_EQ(limiter.Take(Source("udp://192.0.2.2:4000"), 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(Source("udp://192.0.2.3:4000"), 0), Verdict::kAllTooFast);
}

TEST(SourceRateLimiterTest, TheTableOfSourcesIsBoundedAndTheGlobalRateHolds) {
  SourceRateLimiter limiter(/*rate_per_source=*/1, /*rate_global=*/500, /*sources_max=*/8);
  int passed = 0;
  for (uint32_t i = 0; i < 100'000; ++i) {
    SourceNetwork forged;
    forged.family = AF_INET;
    forged.prefix = i;
    passed += limiter.Take(forged, 0) == Verdict::kPass;
  }
  EXPECT_EQ(passed, 500);
}

}  // namespace
}  // namespace rawgate::net
