#include "runtime/host/listener_options.h"

#include <gtest/gtest.h>

#include "runtime/base/status.h"

namespace rawgate::host {
namespace {

ListenerOptions Parse(absl::string_view text) {
  return *ListenerOptions::Parse("tcp-2 (tcp://127.0.0.1:7)", text);
}

// A type as services have them, whose own words say what is possible.
enum class Answer { kYes, kNo };
bool AbslParseFlag(absl::string_view text, Answer* answer, std::string* error) {
  *answer = text == "yes" ? Answer::kYes : Answer::kNo;
  if (text == "yes" || text == "no") return true;
  *error = "is yes or no";
  return false;
}

TEST(ListenerOptionsTest, WithoutAny) {
  ListenerOptions options = Parse("");
  EXPECT_EQ(options.Get("answer", Answer::kYes), Answer::kYes);
  EXPECT_TRUE(options.Check().ok());
  EXPECT_EQ(options.ToString(), "");
}

TEST(ListenerOptionsTest, ValuesOfSeveralTypes) {
  ListenerOptions options = Parse("answer=no&size=5&name=a=b");
  EXPECT_EQ(options.Get("answer", Answer::kYes), Answer::kNo);
  EXPECT_EQ(options.Get<uint64_t>("size", 1), 5);
  EXPECT_EQ(options.Get<std::string>("name", ""), "a=b");
  EXPECT_EQ(options.Get<uint64_t>("other", 7), 7);
  EXPECT_TRUE(options.Check().ok());
  EXPECT_EQ(options.ToString(), "?answer=no&size=5&name=a=b");
}

TEST(ListenerOptionsTest, AWrongValueIsToldWithWhatIsPossible) {
  ListenerOptions options = Parse("answer=maybe");
  EXPECT_EQ(options.Get("answer", Answer::kYes), Answer::kYes);
  const absl::Status wrong = options.Check();
  EXPECT_EQ(wrong.message(),
            "--listen: tcp-2 (tcp://127.0.0.1:7): option answer is yes or no, not \"maybe\"");
  EXPECT_EQ(ReasonOf(wrong), "BAD_LISTEN");
  EXPECT_EQ(FieldOf(wrong), "listen");
}

TEST(ListenerOptionsTest, AWrongValueOfATypeWithoutWords) {
  ListenerOptions options = Parse("size=many");
  EXPECT_EQ(options.Get<uint64_t>("size", 1), 1);
  EXPECT_EQ(options.Check().message(),
            "--listen: tcp-2 (tcp://127.0.0.1:7): option size cannot be \"many\"");
}

TEST(ListenerOptionsTest, AnOptionThatNobodyAsksForIsToldWithThoseThereAre) {
  ListenerOptions options = Parse("answer=no&speed=5");
  options.Get("answer", Answer::kYes);
  options.Get<uint64_t>("size", 1);
  EXPECT_EQ(options.Check().message(),
            "--listen: tcp-2 (tcp://127.0.0.1:7): there is no option speed, only answer, size");
}

TEST(ListenerOptionsTest, AListenerWithoutOptions) {
  EXPECT_EQ(Parse("speed=5").Check().message(),
            "--listen: tcp-2 (tcp://127.0.0.1:7): there is no option speed, nor any other");
}

TEST(ListenerOptionsTest, WhatIsNoOptionIsRefused) {
  for (const char* text : {"speed", "=5", "a=1&", "&a=1", "a=1&&b=2", "a=1&a=1"}) {
    const auto options = ListenerOptions::Parse("tcp", text);
    ASSERT_FALSE(options.ok()) << text;
    EXPECT_EQ(ReasonOf(options.status()), "BAD_LISTEN") << text;
  }
}

}  // namespace
}  // namespace rawgate::host
