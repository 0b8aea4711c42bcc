#include "services/chat/chat_core.h"

#include <limits>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/testing/manual_clock.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Watcher = ChatCore::Watcher;

constexpr uint64_t kNewest = std::numeric_limits<uint64_t>::max();

class ChatCoreTest : public ::testing::Test {
 protected:
  static ChatLimits Small() {
    return {
        .sessions = 3, .messages_per_session = 4, .messages = 6, .body_bytes = 1000, .watchers = 2};
  }

  static std::vector<std::string> Bodies(const ChatCore& core, absl::string_view session_id = "") {
    std::vector<std::string> bodies;
    const auto messages = core.ListMessages(session_id, 0, 1000, 1 << 20).value();
    for (const Message& message : messages) bodies.push_back(message.body);
    return bodies;
  }
  static std::vector<std::string> SessionIds(const ChatCore& core) {
    std::vector<std::string> ids;
    for (const Session& session : core.ListSessions(kNewest, 1000)) ids.push_back(session.id);
    return ids;
  }
  static Session SessionOf(const ChatCore& core, absl::string_view id) {
    for (const Session& session : core.ListSessions(kNewest, 1000)) {
      if (session.id == id) return session;
    }
    ADD_FAILURE() << "no session " << id;
    return {};
  }
  // All that can be taken now: bodies, "lost N", "caught up".
  static std::vector<std::string> TakeAll(Watcher& watcher) {
    std::vector<std::string> taken;
    while (const auto update = watcher.Take()) {
      if (const auto* message = std::get_if<Message>(&*update)) {
        taken.push_back(message->body);
      } else if (const auto* lost = std::get_if<Watcher::Lost>(&*update)) {
        taken.push_back(absl::StrCat("lost ", lost->count));
      } else {
        taken.push_back("caught up");
      }
    }
    return taken;
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
};

TEST_F(ChatCoreTest, KeepsMessagesInOrderWithNumbersFromOne) {
  ChatCore core(clock_);
  core.Receive("a", "one");
  clock_.Advance(absl::Seconds(1));
  core.Receive("b", "two");
  const Message answer = core.AddAnswer("a", "three", "Ada");
  const auto messages = core.ListMessages("", 0, 10, 1000);
  ASSERT_TRUE(messages.ok());
  ASSERT_EQ(messages->size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ((*messages)[i].number, i + 1);
  EXPECT_EQ((*messages)[0].session_id, "a");
  EXPECT_EQ((*messages)[0].direction, Direction::kInbound);
  EXPECT_EQ((*messages)[0].time, absl::FromUnixSeconds(1'000'000));
  EXPECT_EQ((*messages)[1].time, absl::FromUnixSeconds(1'000'001));
  EXPECT_EQ(answer.number, 3u);
  EXPECT_EQ(answer.direction, Direction::kOutbound);
  EXPECT_EQ(answer.operator_name, "Ada");
}

TEST_F(ChatCoreTest, AnyBytesAreKept) {
  ChatCore core(clock_);
  const std::string bytes("\0\x1b[2J\xff", 6);
  core.Receive("a", bytes);
  core.Receive("a", "");
  EXPECT_THAT(Bodies(core), ElementsAre(bytes, ""));
}

TEST_F(ChatCoreTest, ListsMessagesOfOneSessionAndInPages) {
  ChatCore core(clock_);
  for (int i = 1; i <= 6; ++i) core.Receive(i % 2 == 0 ? "even" : "odd", absl::StrCat(i));
  EXPECT_THAT(Bodies(core, "even"), ElementsAre("2", "4", "6"));
  const auto page = core.ListMessages("even", 2, 1, 1000);
  ASSERT_EQ(page->size(), 1u);
  EXPECT_EQ(page->front().number, 4u);
  EXPECT_EQ(core.ListMessages("", 1, 3, 1000)->back().number, 4u);
  EXPECT_THAT(*core.ListMessages("", 6, 10, 1000), IsEmpty());
}

TEST_F(ChatCoreTest, APageEndsOnceItHasTheBytes) {
  ChatCore core(clock_);
  for (int i = 0; i < 5; ++i) core.Receive("a", std::string(100, 'x'));
  EXPECT_EQ(core.ListMessages("", 0, 10, 200)->size(), 2u);
  EXPECT_EQ(core.ListMessages("", 0, 10, 201)->size(), 3u);
  EXPECT_EQ(core.ListMessages("", 0, 10, 1)->size(), 1u)
      << "at least one, or a reader would not get on";
}

TEST_F(ChatCoreTest, AnUnknownSessionIsNotFound) {
  ChatCore core(clock_);
  const absl::Status status = core.ListMessages("nobody", 0, 10, 1000).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "SESSION_NOT_FOUND");
}

TEST_F(ChatCoreTest, ListsTheSessionHeardFromLastFirst) {
  ChatCore core(clock_);
  for (const char* id : {"a", "b", "c", "a"}) core.Receive(id, "hello");
  core.AddAnswer("b", "answers do not count", "");
  EXPECT_THAT(SessionIds(core), ElementsAre("a", "c", "b"));
  const auto first = core.ListSessions(kNewest, 2);
  ASSERT_EQ(first.size(), 2u);
  const auto rest = core.ListSessions(first.back().heard, 2);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].id, "b");
}

TEST_F(ChatCoreTest, CountsWhatASessionDid) {
  ChatCore core(clock_);
  core.Receive("a", "one");
  clock_.Advance(absl::Seconds(5));
  core.Receive("a", "two");
  core.Refuse("a");
  core.AddAnswer("a", "answer", "");
  const Session session = SessionOf(core, "a");
  EXPECT_EQ(session.received, 2u);
  EXPECT_EQ(session.refused, 1u);
  EXPECT_EQ(session.sent, 1u);
  EXPECT_EQ(session.unseen, 2u);
  EXPECT_EQ(session.first_seen, absl::FromUnixSeconds(1'000'000));
  EXPECT_EQ(session.last_seen, absl::FromUnixSeconds(1'000'005));
}

TEST_F(ChatCoreTest, ARefusedMessageMakesASession) {
  ChatCore core(clock_);
  core.Refuse("a");
  EXPECT_EQ(SessionOf(core, "a").refused, 1u);
  EXPECT_THAT(Bodies(core, "a"), IsEmpty());
}

// ---- Bounds

TEST_F(ChatCoreTest, ForgetsTheOldestMessagesOfASession) {
  ChatCore core(clock_, {}, Small());
  for (int i = 1; i <= 6; ++i) core.Receive("a", absl::StrCat(i));
  EXPECT_THAT(Bodies(core), ElementsAre("3", "4", "5", "6"));
  EXPECT_EQ(SessionOf(core, "a").unseen, 4u) << "kept ones only";
  EXPECT_EQ(SessionOf(core, "a").received, 6u);
}

TEST_F(ChatCoreTest, ForgetsTheOldestMessagesOfAll) {
  ChatCore core(clock_, {}, Small());
  for (const char* id : {"a", "b", "c"}) {
    for (int i = 1; i <= 3; ++i) core.Receive(id, absl::StrCat(id, i));
  }
  EXPECT_THAT(Bodies(core), ElementsAre("b1", "b2", "b3", "c1", "c2", "c3"));
}

TEST_F(ChatCoreTest, ForgetsByBytes) {
  ChatCore core(clock_, {}, Small());
  core.Receive("a", std::string(400, '1'));
  core.Receive("b", std::string(400, '2'));
  core.Receive("a", std::string(400, '3'));
  EXPECT_THAT(Bodies(core), ElementsAre(std::string(400, '2'), std::string(400, '3')));
  core.Receive("c", std::string(4096, '4'));
  EXPECT_THAT(Bodies(core), ElementsAre(std::string(4096, '4'))) << "the newest stays in any case";
}

TEST_F(ChatCoreTest, ForgetsTheSessionHeardFromLeastRecentlyWithItsMessages) {
  ChatCore core(clock_, {}, Small());
  for (const char* id : {"a", "b", "c", "a", "d"}) core.Receive(id, id);
  EXPECT_THAT(SessionIds(core), ElementsAre("d", "a", "c"));
  EXPECT_THAT(Bodies(core), ElementsAre("a", "c", "a", "d"));
  core.Receive("b", "back");
  EXPECT_EQ(SessionOf(core, "b").received, 1u) << "a new session";
}

TEST_F(ChatCoreTest, ManyForgedSourcesDoNotAddUp) {
  ChatCore core(clock_);
  for (int i = 0; i < 20'000; ++i) core.Receive(absl::StrCat(i), std::string(kBodyMax, 'x'));
  const ChatLimits limits;
  EXPECT_EQ(SessionIds(core).size(), limits.sessions);
  EXPECT_LE(core.ListMessages("", 0, 100'000, 1 << 30)->size() * kBodyMax, limits.body_bytes);
}

// ---- The automatic answer

TEST_F(ChatCoreTest, NoAutomaticAnswerUnlessThereIsAText) {
  ChatCore core(clock_);
  core.Receive("a", "hello");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), std::nullopt);
}

TEST_F(ChatCoreTest, OneAutomaticAnswerPerSessionAndInterval) {
  ChatCore core(clock_, {.text = "later", .interval = absl::Minutes(10)});
  core.Receive("a", "hello");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), "later");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), std::nullopt);
  core.Receive("b", "hello");
  EXPECT_EQ(core.TakeAutomaticAnswer("b", 100), "later");
  clock_.Advance(absl::Minutes(10) - absl::Nanoseconds(1));
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), std::nullopt);
  clock_.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), "later");

  const auto messages = core.ListMessages("a", 0, 10, 1000);
  ASSERT_EQ(messages->size(), 3u);
  EXPECT_EQ((*messages)[1].direction, Direction::kAutomatic);
  EXPECT_EQ((*messages)[1].body, "later");
  EXPECT_EQ(SessionOf(core, "a").sent, 2u);
}

TEST_F(ChatCoreTest, TheAutomaticAnswerIsCutBetweenCharacters) {
  ChatCore core(clock_, {.text = "九点见"});
  core.Receive("a", "hello");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 8), "九点");
  EXPECT_THAT(Bodies(core), ElementsAre("hello", "九点")) << "as sent";
}

// ---- Watching

TEST_F(ChatCoreTest, AWatcherGetsWhatIsKeptThenWhatComes) {
  ChatCore core(clock_);
  core.Receive("a", "one");
  core.Receive("b", "two");
  const auto watcher = core.Watch(0, "").value();
  EXPECT_THAT(TakeAll(*watcher), ElementsAre("one", "two", "caught up"));
  EXPECT_THAT(TakeAll(*watcher), IsEmpty());
  core.Receive("a", "three");
  core.AddAnswer("a", "four", "Ada");
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
        if (core.HasSession(id)) core.AddAnswer(id, "answer", "");
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
