#include "services/echo/echo_chargen.h"

#include <gtest/gtest.h>

namespace rawgate::echo {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ChargenTest, LinesAreThoseOfRfc864) {
  const absl::string_view pattern = ChargenFrom(0);
  EXPECT_EQ(pattern.substr(0, kChargenLine),
            " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefg\r\n");
  EXPECT_EQ(pattern.substr(kChargenLine, kChargenLine),
            "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefgh\r\n");
  // Behind the last printing character comes the first.
  EXPECT_EQ(pattern.substr(94 * kChargenLine, 3), "~ !");
  EXPECT_EQ(pattern.substr(kChargenPeriod, kChargenLine), pattern.substr(0, kChargenLine));
}

TEST(ChargenTest, ThePatternGoesOnFromEveryPosition) {
  const std::string twice = std::string(ChargenFrom(0).substr(0, 2 * kChargenPeriod));
  for (size_t position = 0; position < kChargenPeriod; ++position) {
    const absl::string_view run = ChargenFrom(position);
    ASSERT_GE(run.size(), kChargenRunMin) << position;
    ASSERT_EQ(run.substr(0, kChargenPeriod), twice.substr(position, kChargenPeriod)) << position;
  }
  EXPECT_EQ(ChargenFrom(uint64_t{1'000'000} * kChargenPeriod + 5)[0], twice[5]);
}

TEST(ChargenTest, RatesRoundTripAndRefuseOthers) {
  std::string error;
  ByteRate rate;
  for (const char* good : {"1", "65536", "67108864"}) {
    ASSERT_TRUE(AbslParseFlag(good, &rate, &error)) << good;
    EXPECT_EQ(AbslUnparseFlag(rate), good);
  }
  for (const char* bad : {"", "0", "-1", "67108865", "1e6", "10k", "99999999999999999999999"}) {
    error.clear();
    EXPECT_FALSE(AbslParseFlag(bad, &rate, &error)) << bad;
    EXPECT_EQ(error, "is a number of bytes per second from 1 to 67108864");
  }
}

TEST(ChargenPaceTest, OneConnectionHasTheRateThatWasAskedFor) {
  EXPECT_EQ(ChargenPace::Of({.bytes_per_second = 1000}, 1).bytes_per_second, 1000);
  EXPECT_EQ(ChargenPace::Of({.bytes_per_second = ByteRate::kMax}, 1).bytes_per_second,
            ByteRate::kMax);
}

TEST(ChargenPaceTest, AllConnectionsTogetherHaveABound) {
  for (const size_t open : {1, 10, 1'000, 100'000}) {
    const ChargenPace pace = ChargenPace::Of({.bytes_per_second = ByteRate::kMax}, open);
    const auto connections = static_cast<double>(open);
    EXPECT_LE(pace.bytes_per_second * connections, 256 << 20) << open;
    EXPECT_LE(connections / std::chrono::duration<double>(pace.interval).count(), 50'000) << open;
  }
}

class ChargenPacerTest : public ::testing::Test {
 protected:
  // Sends all that is allowed every `turn` for `turns` turns.
  size_t Run(ChargenPacer& pacer, const ChargenPace& pace, milliseconds turn, int turns) {
    size_t total = 0;
    for (int i = 0; i < turns; ++i) {
      const size_t allowed = pacer.Allowed(pace, now_);
      pacer.Sent(allowed);
      total += allowed;
      now_ += turn;
    }
    return total;
  }

  ChargenPacer::Time now_{seconds(1'000'000)};
};

TEST_F(ChargenPacerTest, KeepsTheRate) {
  for (const uint64_t rate : {1u, 7u, 1'000u, 65'536u, 1u << 20}) {
    ChargenPacer pacer;
    const ChargenPace pace = ChargenPace::Of({.bytes_per_second = rate}, 1);
    const double sent = static_cast<double>(Run(pacer, pace, milliseconds(20), 50 * 60));
    const auto expected = static_cast<double>(rate) * 60;
    EXPECT_NEAR(sent, expected, 1 + expected * 0.001) << rate;
  }
}

TEST_F(ChargenPacerTest, ANewConnectionIsSentSomethingAtOnce) {
  ChargenPacer slow;
  EXPECT_EQ(slow.Allowed(ChargenPace::Of({.bytes_per_second = 1}, 1), now_), 1);
  ChargenPacer fast;
  EXPECT_EQ(fast.Allowed(ChargenPace::Of({.bytes_per_second = 50'000}, 1), now_), 1'000);
}

TEST_F(ChargenPacerTest, WhatWasMissedIsMadeUpForInPartOnly) {
  ChargenPacer pacer;
  const ChargenPace pace = ChargenPace::Of({.bytes_per_second = 50'000}, 1);
  Run(pacer, pace, milliseconds(20), 10);
  now_ += seconds(100);
  EXPECT_EQ(pacer.Allowed(pace, now_), 2'000);
  // Nor does asking alone use anything up.
  EXPECT_EQ(pacer.Allowed(pace, now_), 2'000);
}

}  // namespace
}  // namespace rawgate::echo
