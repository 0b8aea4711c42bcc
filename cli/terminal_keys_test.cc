#include "cli/terminal_keys.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using Kind = TerminalKey::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

// Text as itself, other keys as <number>.
std::vector<std::string> Named(const std::vector<TerminalKey>& keys) {
  std::vector<std::string> names;
  for (const TerminalKey& key : keys) {
    names.push_back(key.kind == Kind::kText
                        ? key.text
                        : "<" + std::to_string(static_cast<int>(key.kind)) + ">");
  }
  return names;
}

std::string Name(Kind kind) { return "<" + std::to_string(static_cast<int>(kind)) + ">"; }

// All at once, and byte by byte, which must be the same but for text in pieces.
std::vector<std::string> Keys(const std::string& bytes) {
  TerminalKeys at_once;
  TerminalKeys bytewise;
  std::string pieces;
  for (const char byte : bytes) {
    for (const auto& name : Named(bytewise.Take({&byte, 1}))) pieces += name;
  }
  const std::vector<std::string> names = Named(at_once.Take(bytes));
  std::string whole;
  for (const auto& name : names) whole += name;
  EXPECT_EQ(pieces, whole);
  return names;
}

TEST(TerminalKeys, TextComesInWholeCharacters) {
  EXPECT_THAT(Keys("a你b"), ElementsAre("a你b"));
  TerminalKeys keys;
  EXPECT_THAT(keys.Take("\xe4\xbd"), IsEmpty());
  EXPECT_THAT(Named(keys.Take("\xa0")), ElementsAre("你"));
}

TEST(TerminalKeys, BytesThatAreNoUtf8ComeThrough) {
  EXPECT_THAT(Keys("\xffx"), ElementsAre("\xffx"));
  EXPECT_THAT(Keys("\xe4\xbd\n"), ElementsAre("\xe4\xbd", Name(Kind::kEnter)));
}

TEST(TerminalKeys, KnowsKeys) {
  EXPECT_THAT(Keys("\x1b[D\x1bOC\x1b[1~\x1b[F\x1b[3~"),
              ElementsAre(Name(Kind::kLeft), Name(Kind::kRight), Name(Kind::kHome),
                          Name(Kind::kEnd), Name(Kind::kDelete)));
  EXPECT_THAT(Keys("\x01\x05\x0b\x15\x17\x7f\x04"),
              ElementsAre(Name(Kind::kHome), Name(Kind::kEnd), Name(Kind::kEraseToEnd),
                          Name(Kind::kEraseToStart), Name(Kind::kEraseWord), Name(Kind::kBackspace),
                          Name(Kind::kDeleteOrEnd)));
  EXPECT_THAT(Keys("\x1b[1;5D\x1b"
                   "f"),
              ElementsAre(Name(Kind::kWordLeft), Name(Kind::kWordRight)));
}

TEST(TerminalKeys, WhatHasNoMeaningIsNothing) {
  EXPECT_THAT(Keys("a\x1b[24~\x1bOP\x1bx\x1b[?1;2c\x03\x1a"
                   "b"),
              ElementsAre("ab"));
  EXPECT_THAT(Keys("a\x1b\x1b[Db"), ElementsAre("a", Name(Kind::kLeft), "b"));
  EXPECT_THAT(Keys("\x1b[" + std::string(10000, '1') + "Dx"), ElementsAre("x"));
}

TEST(TerminalKeys, WhatIsPastedIsText) {
  EXPECT_THAT(Keys("\x1b[200~one\ntwo\rthree\x1b[201~"), ElementsAre("one\ntwo\nthree"));
  EXPECT_THAT(Keys("\x1b[200~one\n\n\x1b[201~\n"), ElementsAre("one", Name(Kind::kEnter)))
      << "line ends at its end";
  EXPECT_THAT(Keys("\x1b[200~\nx\x1b[201~"), ElementsAre("\nx"));
  EXPECT_THAT(Keys("\x1b[200~a\x15\x04\x1b[Ab\x7f\x1b[201~"), ElementsAre("ab"))
      << "keys in what is pasted";
}

TEST(TerminalKeys, EscapeByItself) {
  TerminalKeys keys;
  EXPECT_THAT(keys.Take("\x1b[5~\x1b[6~"), testing::SizeIs(2));
  EXPECT_FALSE(keys.may_be_escape());
  EXPECT_THAT(keys.Take("\x1b"), testing::IsEmpty());
  EXPECT_TRUE(keys.may_be_escape());
  EXPECT_EQ(keys.EscapeAlone().kind, Kind::kEscape);
  EXPECT_FALSE(keys.may_be_escape());
  // What comes then is no sequence.
  const auto typed = keys.Take("[A");
  ASSERT_THAT(typed, testing::SizeIs(1));
  EXPECT_EQ(typed[0].text, "[A");
  // The sequence came in two pieces.
  keys.Take("\x1b");
  EXPECT_EQ(keys.Take("[A").at(0).kind, Kind::kUp);
}

}  // namespace
}  // namespace rawgate::cli
