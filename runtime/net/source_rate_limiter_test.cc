#include "runtime/net/source_rate_limiter.h"

#include <netinet/in.h>

#include "gtest/gtest.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;
using Verdict = SourceRateLimiter::Verdict;

SourceNetwork Source(const char* uri) {
  return SourceNetwork::Of(Endpoint::Parse(uri).value().data());
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
  SourceRateLimiter limiter({.per_source = 2, .global = 100});
  const SourceNetwork a = Source("udp://192.0.2.1:4000");
  const SourceNetwork b = Source("udp://192.0.2.2:4000");
  EXPECT_EQ(limiter.Take(a, 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(a, 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(a, 0), Verdict::kSourceTooFast);
  EXPECT_EQ(limiter.Take(b, 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(a, kSecond / 2), Verdict::kPass);
}

TEST(SourceRateLimiterTest, ASourceBeyondItsRateTakesNothingFromTheOthers) {
  SourceRateLimiter limiter({.per_source = 1, .global = 4});
  const SourceNetwork flood = Source("udp://192.0.2.1:4000");
  EXPECT_EQ(limiter.Take(flood, 0), Verdict::kPass);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(limiter.Take(flood, 0), Verdict::kSourceTooFast);
  EXPECT_EQ(limiter.Take(Source("udp://192.0.2.2:4000"), 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(Source("udp://192.0.2.3:4000"), 0), Verdict::kPass);
  EXPECT_EQ(limiter.Take(Source("udp://192.0.2.4:4000"), 0), Verdict::kAllTooFast);
}

SourceNetwork Forged(uint32_t i) {
  SourceNetwork forged;
  forged.family = AF_INET;
  forged.prefix = i;
  return forged;
}

TEST(SourceRateLimiterTest, TheTableOfSourcesIsBoundedAndNewOnesShareThreeQuarters) {
  SourceRateLimiter limiter({.per_source = 1, .global = 400}, /*sources_max=*/8);
  int passed = 0;
  for (uint32_t i = 0; i < 100'000; ++i) passed += limiter.Take(Forged(i), 0) == Verdict::kPass;
  EXPECT_EQ(passed, 300);
}

TEST(SourceRateLimiterTest, AFloodOfNewSourcesLeavesTheKnownOnesTheirShare) {
  SourceRateLimiter limiter({.per_source = 50, .global = 400}, /*sources_max=*/8);
  const SourceNetwork known = Source("udp://192.0.2.1:4000");
  EXPECT_EQ(limiter.Take(known, kSecond), Verdict::kPass);
  EXPECT_EQ(limiter.Take(known, 2 * kSecond), Verdict::kPass) << "known from here on";
  for (uint32_t i = 0; i < 100'000; ++i) limiter.Take(Forged(i), 3 * kSecond);
  EXPECT_EQ(limiter.Take(Source("udp://192.0.2.2:4000"), 3 * kSecond), Verdict::kAllTooFast);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(limiter.Take(known, 3 * kSecond), Verdict::kPass);
  EXPECT_EQ(limiter.Take(known, 3 * kSecond), Verdict::kSourceTooFast) << "its own rate holds";
}

TEST(SourceRateLimiterTest, ThoseWhoWereKnownFirstStayKnownWhileTheyAsk) {
  SourceRateLimiter limiter({.per_source = 50, .global = 400}, /*sources_max=*/8);
  const SourceNetwork known = Source("udp://192.0.2.1:4000");
  limiter.Take(known, kSecond);
  limiter.Take(known, 2 * kSecond);
  // Forged ones that come again and again, slowly enough to be served.
  for (Nanoseconds now = 3 * kSecond; now < 30 * kSecond; now += kSecond) {
    for (uint32_t i = 0; i < 16; ++i) limiter.Take(Forged(i), now);
  }
  for (uint32_t i = 100; i < 10'000; ++i) limiter.Take(Forged(i), 31 * kSecond);
  EXPECT_EQ(limiter.Take(known, 31 * kSecond), Verdict::kPass);
}

TEST(SourceRateLimiterTest, AKnownSourceThatIsSilentForAMinuteGivesItsPlaceToAnother) {
  SourceRateLimiter limiter({.per_source = 50, .global = 400}, /*sources_max=*/1);
  const SourceNetwork silent = Source("udp://192.0.2.1:4000");
  const SourceNetwork next = Source("udp://192.0.2.2:4000");
  limiter.Take(silent, kSecond);
  limiter.Take(silent, 2 * kSecond);
  limiter.Take(next, 62 * kSecond);
  limiter.Take(next, 64 * kSecond);
  for (uint32_t i = 0; i < 10'000; ++i) limiter.Take(Forged(i), 65 * kSecond);
  EXPECT_EQ(limiter.Take(silent, 65 * kSecond), Verdict::kAllTooFast);
  EXPECT_EQ(limiter.Take(next, 65 * kSecond), Verdict::kPass);
}

TEST(SourceRateLimiterTest, AllTogetherHaveTheRateOfAll) {
  SourceRateLimiter limiter({.per_source = 1'000, .global = 400});
  const SourceNetwork known = Source("udp://192.0.2.1:4000");
  limiter.Take(known, kSecond);
  limiter.Take(known, 2 * kSecond);
  int passed = 0;
  for (uint32_t i = 0; i < 1'000; ++i) {
    passed += limiter.Take(known, 4 * kSecond) == Verdict::kPass;
    passed += limiter.Take(Forged(i), 4 * kSecond) == Verdict::kPass;
  }
  EXPECT_EQ(passed, 400);
}

TEST(SourceRateLimiterTest, NoticesAreSparse) {
  SourceRateLimiter limiter({.per_source = 1, .global = 100, .notice_interval = absl::Seconds(8)});
  const SourceNetwork source = Source("udp://192.0.2.1:4000");
  EXPECT_FALSE(limiter.TakeNotice(source, 0)) << "never heard of";
  int notices = 0;
  for (Nanoseconds now = 0; now < 16 * kSecond; now += kSecond / 10) {
    if (limiter.Take(source, now) == Verdict::kSourceTooFast)
      notices += limiter.TakeNotice(source, now);
  }
  EXPECT_EQ(notices, 2);
}

TEST(SourceRateLimiterTest, WithoutAnIntervalNobodyIsTold) {
  SourceRateLimiter limiter({.per_source = 1});
  const SourceNetwork source = Source("udp://192.0.2.1:4000");
  limiter.Take(source, 0);
  EXPECT_FALSE(limiter.TakeNotice(source, 0));
}

}  // namespace
}  // namespace rawgate::net
