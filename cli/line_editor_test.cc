#include "cli/line_editor.h"

#include <string>

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using Result = LineEditor::Result;

// Takes all of it; the result of the last key.
Result Type(LineEditor& editor, const std::string& bytes) {
  Result result = Result::kEdited;
  for (const TerminalKey& key : TerminalKeys().Take(bytes)) result = editor.Take(key);
  return result;
}

std::string Edited(const std::string& bytes) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, bytes), Result::kEdited);
  return editor.TakeLine();
}

constexpr char kLeft[] = "\x1b[D";
constexpr char kRight[] = "\x1b[C";
constexpr char kUp[] = "\x1b[A";
constexpr char kDown[] = "\x1b[B";

TEST(LineEditor, EditsWhereTheCursorIs) {
  EXPECT_EQ(Edited(std::string("hlo") + kLeft + kLeft + "el"), "hello");
  EXPECT_EQ(Edited(std::string("hello") + kLeft + kLeft + "\x7f"), "helo");
  EXPECT_EQ(Edited("world\x01hello \x05!"), "hello world!");
  EXPECT_EQ(Edited(std::string("abc\x01") + kRight + "\x1b[3~"), "ac");
  EXPECT_EQ(Edited("abc\x01\x04"), "bc") << "Ctrl-D in a line";
  EXPECT_EQ(Edited(std::string(kLeft) + "\x7f\x17\x15" + kRight + "\x1b[3~x"), "x");
}

TEST(LineEditor, ErasesWordsAndEnds) {
  EXPECT_EQ(Edited("one two  \x17"), "one ");
  EXPECT_EQ(Edited("one two\x1b[1;5D\x15"), "two");
  EXPECT_EQ(Edited("one two\x1b[1;5D\x0b"), "one ");
  EXPECT_EQ(Edited("one two\x01\x1b[1;5C, and"), "one, and two");
}

TEST(LineEditor, MovesOverWholeCharacters) {
  EXPECT_EQ(Edited("你好\x7f"), "你");
  EXPECT_EQ(Edited(std::string("你好") + kLeft + "们"), "你们好");
  EXPECT_EQ(Edited("e\u0301\u0323\x7f"), "") << "marks go with their letter";
  EXPECT_EQ(Edited("a👨\u200d👩\u200d👧\x7f"), "a");
  EXPECT_EQ(Edited(std::string("👍🏽🇨🇳") + kLeft + kLeft + "x"), "x👍🏽🇨🇳");
}

TEST(LineEditor, EndsLineAndInput) {
  LineEditor editor;
  EXPECT_EQ(Type(editor, "\x04"), Result::kEnd);
  EXPECT_EQ(Type(editor, "x\n"), Result::kEnter);
  EXPECT_EQ(editor.TakeLine(), "x");
  EXPECT_TRUE(editor.empty());
}

TEST(LineEditor, BringsBackWhatWasTyped) {
  LineEditor editor;
  for (const char* line : {"one", "two", "two", ""}) {
    Type(editor, line);
    editor.TakeLine();
  }
  Type(editor, std::string("draft") + kUp);
  EXPECT_EQ(editor.Visible(80).before, "two");
  Type(editor, std::string(kUp) + kUp + kUp);
  EXPECT_EQ(editor.Visible(80).before, "one");
  Type(editor, std::string(kDown) + kDown + kDown);
  EXPECT_EQ(editor.Visible(80).before, "draft");
  Type(editor, std::string(kUp) + "!");
  EXPECT_EQ(editor.TakeLine(), "two!");
}

TEST(LineEditor, HistoryIsBounded) {
  LineEditor editor;
  for (size_t i = 0; i < LineHistory::kLinesMax + 5; ++i) {
    Type(editor, std::to_string(i));
    editor.TakeLine();
  }
  for (size_t i = 0; i < LineHistory::kLinesMax + 50; ++i) Type(editor, kUp);
  EXPECT_EQ(editor.TakeLine(), "5");
}

TEST(LineEditor, ShowsWhatIsAroundTheCursor) {
  LineEditor editor;
  Type(editor, "abc你好\tz");
  EXPECT_EQ(editor.Visible(80).before, "abc你好\\tz");
  EXPECT_EQ(editor.Visible(6).before, "<好\\tz") << "a wide character is not cut in half";
  EXPECT_EQ(editor.Visible(5).before, "<\\tz");
  Type(editor, "\x01");
  EXPECT_EQ(editor.Visible(80).after, "abc你好\\tz");
  EXPECT_EQ(editor.Visible(6).after, "abc你>");
  EXPECT_EQ(editor.Visible(5).after, "abc>");
}

TEST(LineEditor, WhatIsShownFits) {
  LineEditor editor;
  Type(editor,
       std::string("一二三 words e\u0301 👨\u200d👩 \x1b[200~a\nb\x1b[201~ 很长的一行文字 end"));
  for (int left = 0; left < 40; ++left) {
    for (int columns = 1; columns < 80; ++columns) {
      const LineEditor::View view = editor.Visible(columns);
      EXPECT_LE(view.before_columns + view.after_columns, columns);
    }
    Type(editor, kLeft);
  }
}

TEST(LineEditor, IsBounded) {
  LineEditor editor;
  Type(editor, std::string(LineEditor::kMaxBytes - 1, 'x') + "你");
  EXPECT_EQ(editor.TakeLine().size(), LineEditor::kMaxBytes - 1) << "no half character";
}

}  // namespace
}  // namespace rawgate::cli
