#include "cli/chat_answers.h"

#include <string>

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using Sight = ChatAnswers::Sight;

TEST(ChatAnswers, OwnOnesAreShownOnce) {
  ChatAnswers answers;
  answers.Expect("a", /*to_all=*/false);
  EXPECT_TRUE(answers.IsOwn("a"));
  EXPECT_FALSE(answers.WasShown("a"));
  EXPECT_TRUE(answers.WasShown("a"));
  EXPECT_TRUE(answers.WasShown("a")) << "replayed";
}

TEST(ChatAnswers, OwnOnesToAllAreShownElsewhere) {
  ChatAnswers answers;
  answers.Expect("a", /*to_all=*/true);
  EXPECT_TRUE(answers.WasShown("a"));
}

TEST(ChatAnswers, ThoseOfOthersAreShown) {
  ChatAnswers answers;
  answers.Expect("a", /*to_all=*/false);
  EXPECT_FALSE(answers.IsOwn("b"));
  EXPECT_FALSE(answers.WasShown("b"));
  EXPECT_FALSE(answers.WasShown("b"));
  EXPECT_FALSE(answers.IsOwn(""));
  EXPECT_FALSE(answers.WasShown(""));
}

TEST(ChatAnswers, OfOneToAllTheFirstIsSeen) {
  ChatAnswers answers;
  EXPECT_EQ(answers.SightOf("a"), Sight::kFirst);
  EXPECT_EQ(answers.SightOf("a"), Sight::kSecond);
  EXPECT_EQ(answers.SightOf("a"), Sight::kFurther);
  EXPECT_EQ(answers.SightOf("b"), Sight::kFirst);
  EXPECT_EQ(answers.SightOf("b"), Sight::kSecond);
  EXPECT_EQ(answers.SightOf(""), Sight::kFirst);
  EXPECT_EQ(answers.SightOf(""), Sight::kFirst) << "without an id nothing is known";
}

TEST(ChatAnswers, AreBounded) {
  ChatAnswers answers;
  for (int i = 0; i < 1000; ++i) answers.Expect(std::to_string(i), false);
  EXPECT_FALSE(answers.IsOwn("0"));
  EXPECT_TRUE(answers.IsOwn("999"));
}

}  // namespace
}  // namespace rawgate::cli
