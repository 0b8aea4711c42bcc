#include "runtime/net/faults.h"

#include <cmath>
#include <functional>
#include <limits>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/net/fault_random.h"
#include "runtime/net/faults_text.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kMinute = 60'000'000'000;

// The field that is refused; empty where none is.
std::string Refused(const std::function<void(Faults&)>& change) {
  Faults faults;
  change(faults);
  const absl::Status checked = CheckFaults(faults);
  if (!checked.ok()) {
    EXPECT_EQ(ReasonOf(checked), "BAD_FAULTS");
  }
  return FieldOf(checked);
}

TEST(Faults, WhatIsInRangeIsTaken) {
  EXPECT_EQ(Refused([](Faults&) {}), "");
  EXPECT_EQ(Refused([](Faults& f) {
              f.stream_received = {.delay = kMinute,
                                   .jitter = kMinute,
                                   .bytes_per_second = UINT64_MAX,
                                   .split_bytes = 1 << 20,
                                   .cut_after_bytes = UINT64_MAX,
                                   .cut_with_reset = true};
              f.stream_sent.merge_bytes = 1 << 20;
              f.datagrams_sent = {
                  .delay = kMinute, .loss = 1, .duplication = 1, .reordering = 1, .corruption = 1};
            }),
            "");
}

TEST(Faults, WhatIsOutOfRangeIsRefusedByItsField) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Refused([](Faults& f) { f.stream_sent.delay = kMinute + 1; }),
            "faults.stream_sent.delay");
  EXPECT_EQ(Refused([](Faults& f) { f.stream_received.jitter = -1; }),
            "faults.stream_received.jitter");
  EXPECT_EQ(Refused([](Faults& f) { f.stream_sent.split_bytes = (1 << 20) + 1; }),
            "faults.stream_sent.split_bytes");
  EXPECT_EQ(Refused([](Faults& f) { f.stream_sent.merge_bytes = (1 << 20) + 1; }),
            "faults.stream_sent.merge_bytes");
  EXPECT_EQ(Refused([](Faults& f) { f.stream_sent = {.split_bytes = 1, .merge_bytes = 1}; }),
            "faults.stream_sent.merge_bytes");
  EXPECT_EQ(Refused([](Faults& f) { f.stream_sent.cut_with_reset = true; }),
            "faults.stream_sent.cut_with_reset");
  EXPECT_EQ(Refused([](Faults& f) { f.datagrams_received.loss = 1.001; }),
            "faults.datagrams_received.loss");
  EXPECT_EQ(Refused([](Faults& f) { f.datagrams_sent.duplication = -0.001; }),
            "faults.datagrams_sent.duplication");
  EXPECT_EQ(Refused([nan](Faults& f) { f.datagrams_sent.reordering = nan; }),
            "faults.datagrams_sent.reordering");
  EXPECT_EQ(Refused([](Faults& f) { f.datagrams_sent.corruption = 2; }),
            "faults.datagrams_sent.corruption");
  EXPECT_EQ(Refused([](Faults& f) { f.datagrams_sent.delay = kMinute + 1; }),
            "faults.datagrams_sent.delay");
}

TEST(Faults, TheSeedAloneDoesNothing) {
  EXPECT_TRUE(Faults{.seed = 7}.empty());
  EXPECT_FALSE(Faults{.fail_first = 1}.empty());
}

TEST(Faults, EachListenerTakesWhatAppliesToIt) {
  Faults faults{.seed = 7, .fail_first = 2};
  faults.stream_sent.delay = 1;
  faults.datagrams_sent.loss = 1;
  const Faults stream = faults.For(Transport::kUnix);
  EXPECT_EQ(stream.seed, 7u);
  EXPECT_EQ(stream.fail_first, 2u);
  EXPECT_EQ(stream.stream_sent.delay, 1);
  EXPECT_EQ(stream.datagrams_sent, DatagramFaults{});
  const Faults datagrams = faults.For(Transport::kUnixDatagram);
  EXPECT_EQ(datagrams.stream_sent, StreamFaults{});
  EXPECT_EQ(datagrams.datagrams_sent.loss, 1);
}

TEST(Faults, InWords) {
  EXPECT_EQ(FaultsText({.seed = 7}), "");
  Faults faults{.seed = 7, .fail_first = 2};
  faults.stream_received = {.delay = 100'000'000, .cut_after_bytes = 10, .cut_with_reset = true};
  faults.stream_sent.split_bytes = 1;
  EXPECT_EQ(FaultsText(faults),
            "fail first 2; received: delay 100ms, reset after 10; sent: split 1; seed 7");
}

// These numbers are what seeds that people have written down mean: they may not change.
TEST(FaultRandom, IsTheSameEverywhere) {
  FaultRandom random(1, 0);
  const uint64_t first = random.Next();
  EXPECT_EQ(FaultRandom(1, 0).Next(), first);
  EXPECT_NE(FaultRandom(1, 1).Next(), first);
  EXPECT_NE(FaultRandom(2, 0).Next(), first);
  EXPECT_EQ(first, 6366115181607701404u);
}

TEST(FaultRandom, StaysInRange) {
  FaultRandom random(1, 0);
  uint64_t least = UINT64_MAX;
  uint64_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t number = random.UpTo(9);
    least = std::min(least, number);
    most = std::max(most, number);
  }
  EXPECT_EQ(least, 0u);
  EXPECT_EQ(most, 9u);
  EXPECT_EQ(random.UpTo(0), 0u);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(random.Happens(1));
    EXPECT_FALSE(random.Happens(0));
  }
}

}  // namespace
}  // namespace rawgate::net
