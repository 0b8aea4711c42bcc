#include "services/chat/chat_changes.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

StoredMessage MessageWith(uint64_t number) {
  return {.message = {.number = number, .session_id = "a", .body = absl::StrCat(number)}};
}

StoredSession SessionWith(const std::string& id, uint64_t heard) {
  return {.session = {.id = id, .heard = heard}};
}

TEST(ChatChangesTest, NothingHappened) { EXPECT_TRUE(ChatChanges().empty()); }

TEST(ChatChangesTest, AMessageShownBeforeItWasWrittenIsWrittenAsShown) {
  ChatChanges changes;
  changes.MessageKept(MessageWith(1));
  changes.MessageKept(MessageWith(2));
  changes.MessageShown(2);
  EXPECT_FALSE(changes.kept.at(1).shown);
  EXPECT_TRUE(changes.kept.at(2).shown);
  EXPECT_THAT(changes.shown, IsEmpty());
}

TEST(ChatChangesTest, AMessageForgottenBeforeItWasWrittenLeavesItsNumberOnly) {
  ChatChanges changes;
  changes.MessageKept(MessageWith(1));
  changes.MessageForgotten(1);
  EXPECT_THAT(changes.kept, IsEmpty());
  EXPECT_THAT(changes.forgotten, IsEmpty());
  EXPECT_EQ(changes.last_number, 1u);
  EXPECT_FALSE(changes.empty()) << "numbers go on";
}

TEST(ChatChangesTest, WhatWasWrittenIsShownAndForgotten) {
  ChatChanges changes;
  changes.MessageShown(1);
  changes.MessageShown(2);
  changes.MessageForgotten(2);
  EXPECT_THAT(changes.shown, ElementsAre(1));
  EXPECT_THAT(changes.forgotten, ElementsAre(2));
}

TEST(ChatChangesTest, OfASessionTheNewestStateCounts) {
  ChatChanges changes;
  changes.SessionMade(SessionWith("a", 1));
  changes.SessionChanged(SessionWith("a", 2));
  changes.SessionChanged(SessionWith("b", 3));
  EXPECT_EQ(changes.sessions.at("a").stored.session.heard, 2u);
  EXPECT_TRUE(changes.sessions.at("a").is_new);
  EXPECT_FALSE(changes.sessions.at("b").is_new);
  EXPECT_EQ(changes.last_heard, 3u);
}

TEST(ChatChangesTest, ASessionThatCameAndWentLeavesNothing) {
  ChatChanges changes;
  changes.SessionMade(SessionWith("a", 1));
  changes.SessionForgotten("a");
  EXPECT_THAT(changes.sessions, IsEmpty());
  EXPECT_THAT(changes.forgotten_sessions, IsEmpty());
}

TEST(ChatChangesTest, ASessionThatWasWrittenIsForgottenHoweverOftenItCameBack) {
  ChatChanges changes;
  changes.SessionForgotten("a");
  EXPECT_THAT(changes.forgotten_sessions, ElementsAre("a"));
  changes.SessionMade(SessionWith("a", 5));
  EXPECT_THAT(changes.forgotten_sessions, IsEmpty()) << "replaced";
  changes.SessionForgotten("a");
  EXPECT_THAT(changes.forgotten_sessions, ElementsAre("a"));
  EXPECT_THAT(changes.sessions, IsEmpty());
}

// What gathers while a disk fails, under a flood of forged sources.
TEST(ChatChangesTest, AFloodDoesNotAddUp) {
  ChatChanges changes;
  for (uint64_t number = 1; number <= 100'000; ++number) {
    const std::string id = absl::StrCat(number);
    changes.SessionMade(SessionWith(id, number));
    changes.MessageKept(MessageWith(number));
    if (number <= 10) continue;
    changes.MessageForgotten(number - 10);
    changes.SessionForgotten(absl::StrCat(number - 10));
  }
  EXPECT_EQ(changes.kept.size(), 10u);
  EXPECT_EQ(changes.sessions.size(), 10u);
  EXPECT_THAT(changes.forgotten, IsEmpty());
  EXPECT_THAT(changes.forgotten_sessions, IsEmpty());
  EXPECT_THAT(changes.shown, IsEmpty());
}

}  // namespace
}  // namespace rawgate::chat
