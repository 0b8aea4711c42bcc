#include "runtime/net/stream_fault_path.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace rawgate::net {
namespace {

using Kind = StreamFaultPath::Step::Kind;

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr Nanoseconds kSecond = 1'000'000'000;
constexpr size_t kLimit = 1 << 20;

// A path whose sink takes everything, and a clock that goes from one step to the next.
class Sink {
 public:
  explicit Sink(const StreamFaults& faults, uint64_t seed = 1, Nanoseconds piece_interval = 0)
      : path_(faults, {seed, 0}, piece_interval) {}

  void Push(absl::string_view bytes) { path_.Push(bytes, now_); }
  void Finish() { path_.Finish(StreamFaultPath::End::kFin, now_); }
  // Everything that can be handed on now. Returns the step that ended it.
  Kind Take() {
    for (;;) {
      const StreamFaultPath::Step step = path_.Next(now_);
      next_ = step.at;
      if (step.kind != Kind::kBytes) return step.kind;
      pieces_.emplace_back(step.bytes);
      times_.push_back(now_);
      path_.Passed(step.bytes.size(), now_);
    }
  }
  // Goes on to whenever there is more, until there is none.
  Kind TakeAll() {
    for (;;) {
      const Kind kind = Take();
      if (kind != Kind::kWait || next_ == StreamFaultPath::kNever) return kind;
      now_ = next_;
    }
  }
  std::string Taken() const {
    std::string all;
    for (const std::string& piece : pieces_) all += piece;
    return all;
  }

  StreamFaultPath path_;
  Nanoseconds now_ = 1000 * kSecond;
  Nanoseconds next_ = 0;
  std::vector<std::string> pieces_;
  std::vector<Nanoseconds> times_;
};

TEST(StreamFaultPath, WithoutFaultsBytesAndEndPass) {
  Sink sink({});
  sink.Push("hello");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.next_, StreamFaultPath::kNever);
  sink.Push(" world");
  sink.Finish();
  EXPECT_EQ(sink.Take(), Kind::kFin);
  EXPECT_EQ(sink.Taken(), "hello world");
}

TEST(StreamFaultPath, DelaysBytesAndTheEnd) {
  Sink sink({.delay = 100 * kMillisecond});
  const Nanoseconds begun = sink.now_;
  sink.Push("a");
  sink.now_ += 30 * kMillisecond;
  sink.Push("b");
  sink.Finish();
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.next_, begun + 100 * kMillisecond);
  EXPECT_EQ(sink.TakeAll(), Kind::kFin);
  EXPECT_EQ(sink.pieces_, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(sink.times_, (std::vector{begun + 100 * kMillisecond, begun + 130 * kMillisecond}));
  EXPECT_EQ(sink.now_, begun + 130 * kMillisecond);
}

TEST(StreamFaultPath, JitterKeepsTheOrderAndIsTheSameForTheSameSeed) {
  const auto run = [](uint64_t seed) {
    Sink sink({.delay = kMillisecond, .jitter = 50 * kMillisecond}, seed);
    for (const char* piece : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
      sink.Push(piece);
      sink.now_ += kMillisecond;
    }
    sink.now_ -= 8 * kMillisecond;
    sink.Finish();
    EXPECT_EQ(sink.TakeAll(), Kind::kFin);
    EXPECT_EQ(sink.Taken(), "abcdefgh");
    EXPECT_LE(sink.now_, (1000 * kSecond) + 58 * kMillisecond);
    return sink.times_;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(StreamFaultPath, NoMoreThanTheRate) {
  Sink sink({.bytes_per_second = 10'000});
  sink.Push(std::string(20'000, 'x'));
  sink.Finish();
  EXPECT_EQ(sink.TakeAll(), Kind::kFin);
  EXPECT_EQ(sink.Taken().size(), 20'000u);
  // But for the little that goes at once.
  const Nanoseconds took = sink.now_ - 1000 * kSecond;
  EXPECT_GE(took, 2 * kSecond - 40 * kMillisecond);
  EXPECT_LE(took, 2 * kSecond);
}

TEST(StreamFaultPath, OneByteASecond) {
  Sink sink({.bytes_per_second = 1});
  sink.Push("abc");
  sink.Finish();
  EXPECT_EQ(sink.TakeAll(), Kind::kFin);
  EXPECT_EQ(sink.pieces_, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(StreamFaultPath, Splits) {
  Sink sink({.split_bytes = 3});
  sink.Push("hello");
  sink.Push("world");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.pieces_, (std::vector<std::string>{"hel", "low", "orl", "d"}));
}

TEST(StreamFaultPath, PiecesGoApart) {
  Sink sink({.split_bytes = 3}, 1, 2 * kMillisecond);
  const Nanoseconds begun = sink.now_;
  sink.Push("hello");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.next_, begun + 2 * kMillisecond);
  // What comes meanwhile is of the next piece.
  sink.Push("world");
  EXPECT_EQ(sink.TakeAll(), Kind::kWait);
  EXPECT_EQ(sink.pieces_, (std::vector<std::string>{"hel", "low", "orl", "d"}));
  EXPECT_EQ(sink.times_, (std::vector{begun, begun + 2 * kMillisecond, begun + 4 * kMillisecond,
                                      begun + 6 * kMillisecond}));
  // What comes long after does not wait, and neither does the end.
  sink.now_ += 2 * kMillisecond;
  sink.Push("!");
  sink.Finish();
  EXPECT_EQ(sink.Take(), Kind::kFin);
  EXPECT_EQ(sink.times_.back(), begun + 8 * kMillisecond);
}

TEST(StreamFaultPath, WhatIsNotSplitHasNoPieces) {
  Sink sink({.delay = kMillisecond}, 1, 2 * kMillisecond);
  for (const char* text : {"a", "b"}) {
    sink.Push(text);
    sink.now_ += kMillisecond;
    sink.Take();
  }
  EXPECT_EQ(sink.Taken(), "ab");
}

TEST(StreamFaultPath, MergesUntilThereIsEnough) {
  Sink sink({.merge_bytes = 8});
  sink.Push("hello");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_TRUE(sink.pieces_.empty());
  sink.Push("world");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.pieces_, (std::vector<std::string>{"helloworld"}));
}

TEST(StreamFaultPath, MergesUntilNothingComesOrTheStreamEnds) {
  Sink sink({.merge_bytes = 100});
  sink.Push("hello");
  sink.now_ += 150 * kMillisecond;
  sink.Push("world");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.next_, sink.now_ + StreamFaultPath::kMergeWait);
  sink.now_ = sink.next_;
  EXPECT_EQ(sink.Take(), Kind::kWait);
  sink.Push("more");
  sink.Finish();
  EXPECT_EQ(sink.Take(), Kind::kFin);
  EXPECT_EQ(sink.pieces_, (std::vector<std::string>{"helloworld", "more"}));
}

// What was to be merged and was taken in part goes on without another wait.
TEST(StreamFaultPath, MergedBytesThatWereTakenInPartGoOn) {
  Sink sink({.merge_bytes = 4});
  sink.Push("abcdef");
  EXPECT_EQ(sink.path_.Next(sink.now_).bytes, "abcdef");
  sink.path_.Passed(5, sink.now_);
  EXPECT_EQ(sink.path_.Next(sink.now_).bytes, "f");
}

TEST(StreamFaultPath, MergingNeverWaitsForMoreThanThereIsRoomFor) {
  Sink sink({.merge_bytes = 1000});
  EXPECT_EQ(sink.path_.Room(16), 16u);
  sink.Push(std::string(16, 'x'));
  EXPECT_EQ(sink.path_.Room(16), 0u);
  EXPECT_EQ(sink.path_.Next(sink.now_).bytes.size(), 16u);
}

TEST(StreamFaultPath, CutsAfterSoManyBytes) {
  Sink sink({.cut_after_bytes = 7});
  sink.Push("hello");
  EXPECT_EQ(sink.Take(), Kind::kWait);
  sink.Push("world");
  EXPECT_EQ(sink.Take(), Kind::kCut);
  EXPECT_EQ(sink.Taken(), "hellowo");
}

// Not only when the next byte comes.
TEST(StreamFaultPath, CutsRightBehindTheLastByte) {
  Sink sink({.cut_after_bytes = 5});
  sink.Push("hello");
  EXPECT_EQ(sink.Take(), Kind::kCut);
}

TEST(StreamFaultPath, AStreamThatEndsBeforeIsNotCut) {
  Sink sink({.cut_after_bytes = 6});
  sink.Push("hello");
  sink.Finish();
  EXPECT_EQ(sink.Take(), Kind::kFin);
}

TEST(StreamFaultPath, AResetComesAfterWhatWasSentBefore) {
  Sink sink({.delay = kMillisecond});
  sink.Push("hello");
  sink.path_.Finish(StreamFaultPath::End::kReset, sink.now_);
  EXPECT_EQ(sink.Take(), Kind::kWait);
  EXPECT_EQ(sink.TakeAll(), Kind::kReset);
  EXPECT_EQ(sink.Taken(), "hello");
}

TEST(StreamFaultPath, WithoutFaultsAnyMoreAllGoesOnAtOnce) {
  for (const StreamFaults& faults :
       {StreamFaults{.delay = kSecond}, StreamFaults{.bytes_per_second = 1},
        StreamFaults{.split_bytes = 1}, StreamFaults{.merge_bytes = 1000},
        StreamFaults{.cut_after_bytes = 3}}) {
    Sink sink(faults, 1, kSecond);
    sink.Push("he");
    sink.Take();
    sink.path_.Release();
    sink.Push("llo");
    sink.Finish();
    EXPECT_EQ(sink.Take(), Kind::kFin);
    EXPECT_EQ(sink.Taken(), "hello");
  }
}

TEST(StreamFaultPath, HoldsNoMoreThanItMay) {
  Sink sink({.delay = kSecond});
  sink.Push(std::string(kLimit - 1, 'x'));
  EXPECT_EQ(sink.path_.Room(kLimit), 1u);
  sink.Push("y");
  EXPECT_EQ(sink.path_.Room(kLimit), 0u);
  // Pieces take more than their bytes.
  Sink crumbs({.delay = kSecond});
  int pushed = 0;
  for (; crumbs.path_.Room(kLimit) > 0; ++pushed) crumbs.Push("x");
  EXPECT_LE(pushed, 1024);
  EXPECT_EQ(crumbs.TakeAll(), Kind::kWait);
  EXPECT_EQ(crumbs.path_.Room(kLimit), kLimit);
}

}  // namespace
}  // namespace rawgate::net
