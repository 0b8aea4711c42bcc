#include "cli/chat_sessions.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

constexpr absl::Time kEntered = absl::FromUnixSeconds(1000);
constexpr absl::Time kLater = absl::FromUnixSeconds(1001);

class Sessions : public testing::Test {
 protected:
  int Meet(const std::string& id) {
    bool is_new = false;
    return sessions_.NumberOf(id, is_new);
  }

  ChatSessions sessions_;
};

TEST_F(Sessions, AreCountedInTheOrderOfMeeting) {
  bool is_new = false;
  EXPECT_EQ(sessions_.NumberOf("a", is_new), 1);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(sessions_.NumberOf("b", is_new), 2);
  EXPECT_EQ(sessions_.NumberOf("a", is_new), 1);
  EXPECT_FALSE(is_new);
  EXPECT_EQ(sessions_.IdOf(2), "b");
  EXPECT_EQ(sessions_.IdOf(3), "");
  EXPECT_EQ(sessions_.IdOf(0), "");
  EXPECT_EQ(sessions_.front(), 0);
}

TEST_F(Sessions, TheOneHeardFromLastIsInFront) {
  const int a = Meet("a");
  const int b = Meet("b");
  sessions_.Heard(b, kLater);
  sessions_.Heard(a, kLater);
  EXPECT_EQ(sessions_.front(), a);
  EXPECT_EQ(sessions_.unread(a), 1u);
  EXPECT_EQ(sessions_.unread_in_all(), 2u);
  EXPECT_EQ(sessions_.unread_elsewhere(), 1u);
  sessions_.Read(b);
  EXPECT_EQ(sessions_.unread_elsewhere(), 0u);
  EXPECT_EQ(sessions_.front(), a) << "an answer to another changes nothing";
  sessions_.BringToFront(b);
  EXPECT_EQ(sessions_.front(), b);
}

TEST_F(Sessions, APinnedOneStaysInFrontAndIsRead) {
  const int a = Meet("a");
  const int b = Meet("b");
  sessions_.Heard(a, kLater);
  sessions_.Pin(a);
  EXPECT_EQ(sessions_.unread_in_all(), 0u);
  sessions_.Heard(b, kLater);
  sessions_.Heard(a, kLater);
  EXPECT_EQ(sessions_.front(), a);
  EXPECT_EQ(sessions_.pinned(), a);
  EXPECT_EQ(sessions_.unread(a), 0u);
  EXPECT_EQ(sessions_.unread_elsewhere(), 1u);
  sessions_.Heard(b, kLater);
  sessions_.Unpin();
  EXPECT_EQ(sessions_.front(), b);
  EXPECT_EQ(sessions_.unread_elsewhere(), 0u);
}

TEST_F(Sessions, WhatTheServiceCountedIsNotCountedTwice) {
  const int a = Meet("a");
  sessions_.Enter(a, 2, kEntered);
  // The watch replays what was there, and goes on.
  sessions_.Heard(a, kEntered - absl::Seconds(1));
  sessions_.Heard(a, kEntered);
  EXPECT_EQ(sessions_.unread(a), 2u);
  sessions_.Heard(a, kLater);
  EXPECT_EQ(sessions_.unread(a), 3u);
}

TEST_F(Sessions, AreBounded) {
  sessions_.Pin(Meet("first"));
  sessions_.Enter(1, 5, kEntered);
  for (size_t i = 0; i < ChatSessions::kMost; ++i) Meet(absl::StrCat("session ", i));
  EXPECT_EQ(sessions_.size(), ChatSessions::kMost);
  EXPECT_EQ(sessions_.IdOf(1), "");
  EXPECT_EQ(sessions_.front(), 0);
  EXPECT_EQ(sessions_.unread_in_all(), 0u);
  EXPECT_EQ(Meet("first"), static_cast<int>(ChatSessions::kMost) + 2);
}

}  // namespace
}  // namespace rawgate::cli
