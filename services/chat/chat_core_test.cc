#include "services/chat/chat_core.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_core_testing.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(ChatCoreTest, KeepsMessagesInOrderWithNumbersFromOne) {
  ChatCore core(clock_);
  core.Receive("a", "one");
  clock_.Advance(absl::Seconds(1));
  core.Receive("b", "two");
  const Message answer = core.AddAnswer("a", {.body = "three", .operator_name = "Ada"});
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
  core.AddAnswer("b", {.body = "answers do not count"});
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
  core.AddAnswer("a", {.body = "answer"});
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

TEST_F(ChatCoreTest, AClockThatIsSetBackSilencesNoAutomaticAnswer) {
  ChatCore core(clock_, {.text = "later", .interval = absl::Minutes(10)});
  core.Receive("a", "hello");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), "later");
  clock_.Advance(-absl::Hours(1000));
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), "later");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 100), std::nullopt) << "once, not ever after";
}

TEST_F(ChatCoreTest, TheAutomaticAnswerIsCutBetweenCharacters) {
  ChatCore core(clock_, {.text = "九点见"});
  core.Receive("a", "hello");
  EXPECT_EQ(core.TakeAutomaticAnswer("a", 8), "九点");
  EXPECT_THAT(Bodies(core), ElementsAre("hello", "九点")) << "as sent";
}

}  // namespace
}  // namespace rawgate::chat
