#include "runtime/net/datagram_fault_path.h"

#include <bit>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kSecond = 1'000'000'000;

// A path, a clock that goes from one datagram to the next, and what has become of them.
class Way {
 public:
  explicit Way(const DatagramFaults& faults, uint64_t seed = 1)
      : path_(faults, {seed, 0}, budget_) {}

  void Push(const std::string& payload) {
    overflowed_ += path_.Push(
        {.payload = payload, .size = payload.size(), .received_at = {1, 1}}, now_,
        [&](FaultKind kind) { hits_.push_back(absl::StrCat(payload, ":", FaultName(kind))); });
  }
  // What may go on now.
  std::vector<std::string> Take() {
    std::vector<std::string> taken;
    while (const auto datagram = path_.Pop(now_)) taken.push_back(datagram->payload);
    return taken;
  }
  std::vector<std::string> TakeAll() {
    std::vector<std::string> all = Take();
    while (path_.next_at() != DatagramFaultPath::kNever) {
      now_ = path_.next_at();
      for (std::string& each : Take()) all.push_back(std::move(each));
    }
    return all;
  }

  FaultBudget budget_;
  DatagramFaultPath path_;
  Nanoseconds now_ = 1000 * kSecond;
  size_t overflowed_ = 0;
  std::vector<std::string> hits_;
};

using Payloads = std::vector<std::string>;

TEST(DatagramFaultPath, WithoutFaultsEachGoesOn) {
  Way way({});
  way.Push("a");
  way.Push("");
  EXPECT_EQ(way.Take(), (Payloads{"a", ""}));
  EXPECT_TRUE(way.hits_.empty());
}

TEST(DatagramFaultPath, LosesEachOrNone) {
  Way way({.loss = 1});
  way.Push("a");
  EXPECT_TRUE(way.TakeAll().empty());
  EXPECT_EQ(way.hits_, (Payloads{"a:loss"}));
}

TEST(DatagramFaultPath, DoublesEach) {
  Way way({.duplication = 1});
  way.Push("a");
  way.Push("b");
  EXPECT_EQ(way.Take(), (Payloads{"a", "a", "b", "b"}));
  EXPECT_EQ(way.hits_, (Payloads{"a:duplication", "b:duplication"}));
}

TEST(DatagramFaultPath, FlipsOneBit) {
  Way way({.corruption = 1});
  for (int i = 0; i < 100; ++i) {
    const std::string sent(1 + i % 7, 'x');
    way.Push(sent);
    const Payloads got = way.Take();
    ASSERT_EQ(got.size(), 1u);
    ASSERT_EQ(got[0].size(), sent.size());
    int flipped = 0;
    for (size_t at = 0; at < sent.size(); ++at) {
      flipped += std::popcount(static_cast<unsigned char>(sent[at] ^ got[0][at]));
    }
    EXPECT_EQ(flipped, 1);
  }
  way.hits_.clear();
  way.Push("");
  EXPECT_EQ(way.Take(), (Payloads{""}));
  EXPECT_TRUE(way.hits_.empty()) << "nothing of it can be changed";
}

TEST(DatagramFaultPath, Delays) {
  Way way({.delay = 100 * kMillisecond});
  way.Push("a");
  EXPECT_TRUE(way.Take().empty());
  EXPECT_EQ(way.path_.next_at(), way.now_ + 100 * kMillisecond);
  way.now_ += 100 * kMillisecond;
  // It is as if the kernel had it only now.
  const auto late = way.path_.Pop(way.now_);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->received_at.tv_sec, 0);
}

TEST(DatagramFaultPath, JitterLetsLaterOnesOvertake) {
  Way way({.jitter = 100 * kMillisecond});
  Payloads sent;
  for (char name = 'a'; name <= 'z'; ++name) sent.emplace_back(1, name);
  for (const std::string& each : sent) way.Push(each);
  const Payloads got = way.TakeAll();
  EXPECT_NE(got, sent);
  EXPECT_EQ(got.size(), sent.size());
  EXPECT_LE(way.now_, 1000 * kSecond + 100 * kMillisecond);
}

TEST(DatagramFaultPath, NoMoreThanTheRate) {
  Way way({.bytes_per_second = 1000});
  for (int i = 0; i < 5; ++i) way.Push(std::string(500, 'x'));
  EXPECT_EQ(way.TakeAll().size(), 5u);
  EXPECT_EQ(way.now_, 1000 * kSecond + 2 * kSecond);
}

// With a chance of a half some are overtaken, each by the next that is not held back itself.
TEST(DatagramFaultPath, Reorders) {
  Way way({.reordering = 0.5}, 3);
  Payloads sent;
  for (char name = 'a'; name <= 'z'; ++name) sent.emplace_back(1, name);
  Payloads expected, held, got;
  for (const std::string& each : sent) {
    const size_t hits = way.hits_.size();
    way.Push(each);
    for (std::string& one : way.Take()) got.push_back(std::move(one));
    if (way.hits_.size() > hits) {
      held.push_back(each);
      continue;
    }
    expected.push_back(each);
    expected.insert(expected.end(), held.begin(), held.end());
    held.clear();
  }
  EXPECT_EQ(got, expected);
  EXPECT_NE(got, sent);
}

TEST(DatagramFaultPath, TheLastIsNotHeldBackForEver) {
  Way way({.reordering = 1});
  way.Push("a");
  way.Push("b");
  EXPECT_TRUE(way.Take().empty());
  EXPECT_EQ(way.TakeAll(), (Payloads{"a", "b"}));
  EXPECT_EQ(way.now_, 1000 * kSecond + DatagramFaultPath::kReorderingWait);
}

TEST(DatagramFaultPath, TheSameSeedHitsTheSame) {
  const auto run = [](uint64_t seed) {
    Way way({.jitter = kMillisecond,
             .loss = 0.2,
             .duplication = 0.2,
             .reordering = 0.2,
             .corruption = 0.2},
            seed);
    for (int i = 0; i < 200; ++i) {
      way.Push(absl::StrCat("datagram ", i));
      way.now_ += kMillisecond / 10;
    }
    const Payloads got = way.TakeAll();
    return std::make_pair(way.hits_, got);
  };
  EXPECT_EQ(run(42), run(42));
  EXPECT_NE(run(42).first, run(43).first);
}

TEST(DatagramFaultPath, HitsAboutAsManyAsItShould) {
  Way way({.loss = 0.1});
  for (int i = 0; i < 10'000; ++i) way.Push("x");
  EXPECT_GT(way.hits_.size(), 900u);
  EXPECT_LT(way.hits_.size(), 1100u);
}

TEST(DatagramFaultPath, HoldsNoMoreThanItMay) {
  Way many({.delay = kSecond});
  for (size_t i = 0; i < FaultBudget::kDatagramsMax + 3; ++i) many.Push("x");
  EXPECT_EQ(many.overflowed_, 3u);
  EXPECT_EQ(many.TakeAll().size(), FaultBudget::kDatagramsMax);
  EXPECT_EQ(many.budget_.datagrams, 0u);
  EXPECT_EQ(many.budget_.bytes, 0u);

  Way large({.delay = kSecond, .duplication = 1});
  const std::string payload(1 << 16, 'x');
  for (size_t i = 0; i < FaultBudget::kBytesMax / payload.size() / 2; ++i) large.Push(payload);
  EXPECT_EQ(large.overflowed_, 0u);
  large.Push("x");
  EXPECT_EQ(large.overflowed_, 2u) << "it and its double";
}

TEST(DatagramFaultPath, WhatIsDroppedTakesNoPartOfTheRate) {
  Way way({.bytes_per_second = 1000});
  for (size_t i = 0; i < FaultBudget::kDatagramsMax + 1000; ++i) way.Push("x");
  EXPECT_EQ(way.overflowed_, 1000u);
  EXPECT_EQ(way.TakeAll().size(), FaultBudget::kDatagramsMax);
  way.Push("y");
  EXPECT_EQ(way.path_.next_at(), way.now_ + kMillisecond);
}

TEST(DatagramFaultPath, WhereAllAreHeldBackThoseThatWentAreForgotten) {
  Way way({.reordering = 1});
  for (int i = 0; i < 10'000; ++i) {
    way.Push("x");
    way.now_ += kMillisecond;
    way.Take();
  }
  EXPECT_LE(way.path_.held_back(), 402u) << "200 wait";
}

TEST(DatagramFaultPath, WithoutFaultsAnyMoreAllGoesOnAtOnce) {
  Way way({.delay = kSecond, .reordering = 0.5});
  for (const char* each : {"a", "b", "c"}) way.Push(each);
  way.path_.Release();
  EXPECT_EQ(way.Take().size(), 3u);
  EXPECT_EQ(way.path_.next_at(), DatagramFaultPath::kNever);
}

}  // namespace
}  // namespace rawgate::net
