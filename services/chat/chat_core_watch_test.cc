// Who watches messages: what is replayed, what comes, what is lost.
#include <random>
#include <string>
#include <variant>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_core_testing.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(ChatCoreTest, AWatcherGetsWhatIsKeptThenWhatComes) {
  ChatCore core(clock_);
  core.Receive("a", "one");
  core.Receive("b", "two");
  const auto watcher = core.Watch(0, "").value();
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("one", "two", "caught up"));
  EXPECT_THAT(TakeAll(*watcher), IsEmpty());
  core.Receive("a", "three");
  core.AddAnswer("a", {.body = "four", .operator_name = "Ada"});
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("three", "four"));
}

TEST_F(ChatCoreTest, AWatcherOfOneSession) {
  ChatCore core(clock_);
  core.Receive("a", "a1");
  core.Receive("b", "b1");
  const auto watcher = core.Watch(0, "b").value();
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("b1", "caught up"));
  core.Receive("a", "a2");
  core.Receive("b", "b2");
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("b2"));
}

TEST_F(ChatCoreTest, AWatcherOfASessionThatIsNotThereYet) {
  ChatCore core(clock_);
  const auto watcher = core.Watch(0, "a").value();
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("caught up"));
  core.Receive("a", "here I am");
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("here I am"));
}

TEST_F(ChatCoreTest, AWatcherResumesAfterANumber) {
  ChatCore core(clock_);
  for (const char* body : {"one", "two", "three"}) core.Receive("a", body);
  EXPECT_THAT(TakeAll(*core.Watch(2, "").value()), ElementsAre("three", "caught up"));
  EXPECT_THAT(TakeAll(*core.Watch(3, "").value()), ElementsAre("caught up"));
  EXPECT_THAT(TakeAll(*core.Watch(4, "").value()), ElementsAre("one", "two", "three", "caught up"))
      << "a number of an earlier process";
}

TEST_F(ChatCoreTest, AWatcherIsToldWhatIsNoLongerKept) {
  ChatCore core(clock_, {}, Small());
  for (int i = 1; i <= 6; ++i) core.Receive("a", absl::StrCat(i));
  EXPECT_THAT(TakeAll(*core.Watch(0, "").value()),
              ElementsAre("lost 2", "3", "4", "5", "6", "caught up"));
  EXPECT_THAT(TakeAll(*core.Watch(1, "").value()),
              ElementsAre("lost 1", "3", "4", "5", "6", "caught up"));
  EXPECT_THAT(TakeAll(*core.Watch(2, "").value()), ElementsAre("3", "4", "5", "6", "caught up"));
  EXPECT_THAT(TakeAll(*core.Watch(1, "a").value()),
              ElementsAre("lost 1", "3", "4", "5", "6", "caught up"));
  EXPECT_THAT(TakeAll(*core.Watch(0, "b").value()), ElementsAre("caught up"));
}

TEST_F(ChatCoreTest, ASlowWatcherLosesAndIsTold) {
  ChatCore core(clock_, {}, Small());
  const auto slow = core.Watch(0, "").value();
  EXPECT_THAT(TakeAll(*slow), ElementsAre("caught up"));
  for (int i = 1; i <= 7; ++i) core.Receive("a", absl::StrCat(i));
  ASSERT_TRUE(slow->Take().has_value());
  core.Receive("a", "8");
  EXPECT_THAT(TakeAll(*slow), ElementsAre("lost 1", "5", "6", "7", "8"));
}

TEST_F(ChatCoreTest, AWatcherOfOneSessionLosesOnlyThatSessionsMessages) {
  ChatCore core(clock_, {}, Small());
  const auto watcher = core.Watch(0, "b").value();
  core.Receive("b", "b1");
  for (int i = 1; i <= 10; ++i) core.Receive("a", absl::StrCat(i));
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("b1", "caught up"));
  core.Receive("b", "b2");
  core.Receive("c", "c");
  core.Receive("d", "forgets the session heard from least recently, which is a");
  core.Receive("e", "and that is b");
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("lost 1"));
}

TEST_F(ChatCoreTest, WhatAWatcherTookCountsAsShown) {
  ChatCore core(clock_);
  core.Receive("a", "one");
  core.Receive("a", "two");
  core.Receive("b", "three");
  EXPECT_EQ(SessionOf(core, "a").unseen, 2u);
  TakeAll(*core.Watch(0, "a").value());
  EXPECT_EQ(SessionOf(core, "a").unseen, 0u);
  EXPECT_EQ(SessionOf(core, "b").unseen, 1u);
  TakeAll(*core.Watch(0, "").value());
  EXPECT_EQ(SessionOf(core, "a").unseen, 0u) << "shown twice, counted once";
  EXPECT_EQ(SessionOf(core, "b").unseen, 0u);
}

TEST_F(ChatCoreTest, WakesAWatcherOnceAndOnlyForWhatItSees) {
  ChatCore core(clock_);
  const auto watcher = core.Watch(0, "b").value();
  int woken = 0;
  watcher->NotifyOnce([&] { ++woken; });
  EXPECT_EQ(woken, 1) << "it has not been told yet that it has caught up";
  TakeAll(*watcher);
  watcher->NotifyOnce([&] { ++woken; });
  core.Receive("a", "not for it");
  EXPECT_EQ(woken, 1);
  core.Receive("b", "for it");
  core.Receive("b", "and this");
  EXPECT_EQ(woken, 2);
  watcher->NotifyOnce([&] { ++woken; });
  EXPECT_EQ(woken, 3) << "at once, as there is something to take";
}

TEST_F(ChatCoreTest, WatchersAreBounded) {
  ChatCore core(clock_, {}, Small());
  const auto first = core.Watch(0, "").value();
  auto second = core.Watch(0, "").value();
  const absl::Status third = core.Watch(0, "").status();
  EXPECT_EQ(third.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(third), "TOO_MANY_WATCHERS");
  EXPECT_TRUE(RetryAfterOf(third).has_value());
  second.reset();
  EXPECT_TRUE(core.Watch(0, "").ok());
}

// Whatever happens, an unfiltered watcher that is told of every loss accounts for every number.
TEST_F(ChatCoreTest, NumbersAreAccountedFor) {
  std::minstd_rand random(3);
  ChatCore core(clock_, {.text = "auto", .interval = absl::ZeroDuration()}, Small());
  const auto watcher = core.Watch(0, "").value();
  uint64_t accounted = 0;
  uint64_t last = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::string id = absl::StrCat(random() % 5);
    switch (random() % 4) {
      case 0:
        core.Receive(id, std::string(random() % 300, 'x'));
        break;
      case 1:
        core.Refuse(id);
        break;
      case 2:
        if (core.HasSession(id)) core.AddAnswer(id, {.body = "answer"});
        break;
      case 3:
        core.TakeAutomaticAnswer(id, 100);
        break;
    }
    if (random() % 3 != 0) continue;
    // The newest message is always kept.
    core.Receive(id, "newest");
    while (const auto update = watcher->Take()) {
      if (const auto* message = std::get_if<Message>(&*update)) {
        ASSERT_GT(message->number, last);
        last = message->number;
        ++accounted;
      } else if (const auto* lost = std::get_if<Watcher::Lost>(&*update)) {
        accounted += lost->count;
      }
    }
    ASSERT_EQ(accounted, last);
    ASSERT_LE(core.ListMessages("", 0, 100, 1 << 20)->size(), 6u);
    for (const Session& session : core.ListSessions(kNewest, 10)) ASSERT_EQ(session.unseen, 0u);
  }
  EXPECT_GT(last, 5000u);
}

}  // namespace
}  // namespace rawgate::chat
