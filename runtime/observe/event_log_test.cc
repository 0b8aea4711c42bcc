#include "runtime/observe/event_log.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::observe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void RecordChunk(EventLog& log, uint64_t size) {
  log.Record("tcp", 7, [size] { return ChunkReceived{size, "sample"}; });
}

void RecordMany(EventLog& log, uint64_t count) {
  for (uint64_t i = 0; i < count; ++i) RecordChunk(log, i);
}

std::vector<uint64_t> Sequences(const EventLog::Watcher::Batch& batch) {
  std::vector<uint64_t> sequences;
  for (const Event& event : batch.events) sequences.push_back(event.sequence);
  return sequences;
}

TEST(EventLog, BuildsNothingWhileNobodyWatches) {
  EventLog log;
  log.Record("tcp", 1, []() -> EventBody {
    ADD_FAILURE() << "built";
    return ChunkReceived{};
  });
  EXPECT_FALSE(log.watched());
  EXPECT_EQ(log.last_sequence(), 1u);
}

TEST(EventLog, KeepsWhatWasRecorded) {
  EventLog log;
  const auto watcher = log.Watch();
  const absl::Time before = absl::Now();
  log.Record("tcp", 42, [] { return ConnectionOpened{"tcp://127.0.0.1:1", Transport::kTcp}; });
  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 1u);
  const Event& event = batch.events[0];
  EXPECT_EQ(event.sequence, 1u);
  EXPECT_EQ(event.listener, "tcp");
  EXPECT_EQ(event.connection_id, 42u);
  EXPECT_GE(event.time, before);
  EXPECT_LE(event.time, absl::Now());
  EXPECT_EQ(std::get<ConnectionOpened>(event.body).peer, "tcp://127.0.0.1:1");
}

TEST(EventLog, NumbersGoOnFromEventsThatNobodyWatched) {
  EventLog log;
  RecordMany(log, 5);
  const auto watcher = log.Watch();
  EXPECT_EQ(watcher->position(), 5u);
  RecordMany(log, 2);
  const auto batch = watcher->Take(10);
  EXPECT_THAT(Sequences(batch), ElementsAre(6, 7));
  EXPECT_EQ(batch.lost, 0u);
  EXPECT_EQ(watcher->position(), 7u);
  EXPECT_EQ(log.last_sequence(), 7u);
}

TEST(EventLog, TakesInBatchesWithoutAGap) {
  EventLog log;
  const auto watcher = log.Watch();
  RecordMany(log, 5);
  EXPECT_THAT(Sequences(watcher->Take(2)), ElementsAre(1, 2));
  EXPECT_THAT(Sequences(watcher->Take(2)), ElementsAre(3, 4));
  EXPECT_THAT(Sequences(watcher->Take(2)), ElementsAre(5));
  EXPECT_THAT(Sequences(watcher->Take(2)), IsEmpty());
}

TEST(EventLog, ResumesAfterAnEventThatIsKept) {
  EventLog log;
  const auto first = log.Watch();
  RecordMany(log, 5);
  const auto resumed = log.Watch(3);
  const auto batch = resumed->Take(10);
  EXPECT_THAT(Sequences(batch), ElementsAre(4, 5));
  EXPECT_EQ(batch.lost, 0u);
}

TEST(EventLog, TellsAReturningWatcherWhatIsGone) {
  EventLog log;
  RecordMany(log, 8);
  const auto watcher = log.Watch(3);
  RecordMany(log, 1);
  const auto batch = watcher->Take(10);
  EXPECT_EQ(batch.lost, 5u);
  EXPECT_THAT(Sequences(batch), ElementsAre(9));
  EXPECT_EQ(watcher->Take(10).lost, 0u);
}

TEST(EventLog, TellsOfLossBeforeAnythingNewComes) {
  EventLog log;
  RecordMany(log, 8);
  const auto watcher = log.Watch(0);
  const auto batch = watcher->Take(10);
  EXPECT_EQ(batch.lost, 8u);
  EXPECT_THAT(batch.events, IsEmpty());
}

TEST(EventLog, StartsFromNowAfterAPositionThatHasNotComeYet) {
  EventLog log;
  RecordMany(log, 2);
  const auto watcher = log.Watch(1'000'000);
  EXPECT_EQ(watcher->position(), 2u);
  RecordMany(log, 1);
  EXPECT_THAT(Sequences(watcher->Take(10)), ElementsAre(3));
}

TEST(EventLog, ASlowWatcherLosesTheOldestAndIsTold) {
  EventLog log(4);
  const auto slow = log.Watch();
  const auto quick = log.Watch();
  RecordMany(log, 4);
  EXPECT_EQ(quick->Take(10).lost, 0u);
  RecordMany(log, 3);
  const auto batch = slow->Take(10);
  EXPECT_EQ(batch.lost, 3u);
  EXPECT_THAT(Sequences(batch), ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(Sequences(quick->Take(10)), ElementsAre(5, 6, 7));
}

TEST(EventLog, KeepsOnForAWatcherWhoReconnects) {
  EventLog log;
  const absl::Time start = absl::UnixEpoch();
  auto watcher = log.Watch();
  RecordMany(log, 1);
  log.Tick(start);
  watcher.reset();
  log.Tick(start + absl::Seconds(1));
  RecordMany(log, 1);
  log.Tick(start + EventLog::kLinger);
  EXPECT_TRUE(log.watched());

  watcher = log.Watch(1);
  log.Tick(start + 10 * EventLog::kLinger);
  const auto batch = watcher->Take(10);
  EXPECT_EQ(batch.lost, 0u);
  EXPECT_THAT(Sequences(batch), ElementsAre(2));
}

TEST(EventLog, StopsKeepingAWhileAfterTheLastWatcher) {
  EventLog log;
  const absl::Time start = absl::UnixEpoch();
  auto watcher = log.Watch();
  RecordMany(log, 3);
  watcher.reset();
  log.Tick(start);
  log.Tick(start + EventLog::kLinger);
  EXPECT_FALSE(log.watched());
  RecordMany(log, 2);
  EXPECT_EQ(log.last_sequence(), 5u);

  watcher = log.Watch(3);
  RecordMany(log, 1);
  const auto batch = watcher->Take(10);
  EXPECT_EQ(batch.lost, 2u);
  EXPECT_THAT(Sequences(batch), ElementsAre(6));
}

TEST(EventLog, AdmitsOnlySoManyWatchers) {
  EventLog log;
  std::vector<std::unique_ptr<EventLog::Watcher>> watchers;
  for (size_t i = 0; i < EventLog::kWatchersMax; ++i) {
    watchers.push_back(log.Watch());
    ASSERT_NE(watchers.back(), nullptr);
  }
  EXPECT_EQ(log.Watch(), nullptr);
  watchers.pop_back();
  EXPECT_NE(log.Watch(), nullptr);
}

TEST(EventLog, WakesOnceForEachRequest) {
  EventLog log;
  const auto watcher = log.Watch();
  int wakes = 0;
  watcher->NotifyOnce([&] { ++wakes; });
  EXPECT_EQ(wakes, 0);
  RecordMany(log, 3);
  EXPECT_EQ(wakes, 1);
  watcher->NotifyOnce([&] { wakes += 10; });
  EXPECT_EQ(wakes, 11) << "there is something to take already";
  watcher->Take(10);
  watcher->NotifyOnce([&] { wakes += 100; });
  watcher->NotifyOnce([&] { wakes += 1000; });
  RecordMany(log, 2);
  EXPECT_EQ(wakes, 1011) << "the later request replaces the earlier";
}

TEST(EventLog, WakesAtOnceForALoss) {
  EventLog log;
  RecordMany(log, 3);
  const auto watcher = log.Watch(0);
  bool woken = false;
  watcher->NotifyOnce([&] { woken = true; });
  EXPECT_TRUE(woken);
}

TEST(EventLog, AWakeMayRecord) {
  EventLog log;
  const auto watcher = log.Watch();
  watcher->NotifyOnce([&] { RecordChunk(log, 2); });
  RecordChunk(log, 1);
  EXPECT_THAT(Sequences(watcher->Take(10)), ElementsAre(1, 2));
}

TEST(EventLog, NoWakeComesAfterItsWatcherHasGone) {
  EventLog log(64);
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    while (!stop) RecordChunk(log, 1);
  });
  for (int i = 0; i < 2000; ++i) {
    auto alive = std::make_unique<std::atomic<bool>>(true);
    auto watcher = log.Watch();
    watcher->Take(64);
    watcher->NotifyOnce([&alive = *alive] { EXPECT_TRUE(alive); });
    watcher.reset();
    *alive = false;
  }
  stop = true;
  producer.join();
}

// Everything that is recorded while watchers come and go is numbered once, without a gap.
TEST(EventLog, NumbersAreCompleteAcrossConcurrentProducersAndWatchers) {
  constexpr int kProducers = 4;
  constexpr uint64_t kEach = 20'000;
  EventLog log(size_t{kProducers} * kEach);
  std::atomic<int> running{kProducers};
  std::vector<std::thread> producers;
  for (int i = 0; i < kProducers; ++i) {
    producers.emplace_back([&] {
      RecordMany(log, kEach);
      --running;
    });
  }
  // Stops and begins the keeping again and again meanwhile.
  absl::Time now = absl::UnixEpoch();
  while (running > 0) {
    const auto watcher = log.Watch();
    uint64_t last = watcher->position();
    for (int i = 0; i < 50; ++i) {
      const auto batch = watcher->Take(100);
      ASSERT_EQ(batch.lost, 0u);
      for (const Event& event : batch.events) ASSERT_EQ(event.sequence, ++last);
    }
    ASSERT_EQ(watcher->position(), last);
    now += EventLog::kLinger;
    log.Tick(now);
  }
  for (std::thread& producer : producers) producer.join();
  EXPECT_EQ(log.last_sequence(), kProducers * kEach);
}

TEST(EventLog, CountsEveryEventWhileKeepingStartsAndStops) {
  constexpr uint64_t kEvents = 200'000;
  EventLog log(16);
  std::atomic<bool> done{false};
  std::thread producer([&] {
    RecordMany(log, kEvents);
    done = true;
  });
  absl::Time now = absl::UnixEpoch();
  while (!done) {
    log.Watch().reset();
    log.Tick(now);
    now += EventLog::kLinger;
    log.Tick(now);
  }
  producer.join();
  EXPECT_EQ(log.last_sequence(), kEvents);
}

TEST(EventLog, ASleepingWatcherIsWokenFromAnotherThread) {
  EventLog log;
  const auto watcher = log.Watch();
  absl::Notification woken;
  watcher->NotifyOnce([&] { woken.Notify(); });
  std::thread producer([&] { RecordChunk(log, 1); });
  woken.WaitForNotification();
  EXPECT_THAT(Sequences(watcher->Take(1)), ElementsAre(1));
  producer.join();
}

}  // namespace
}  // namespace rawgate::observe
