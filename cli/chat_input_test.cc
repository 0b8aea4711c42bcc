#include "cli/chat_input.h"

#include "absl/strings/str_cat.h"
#include "cli/line_editor.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using Kind = ChatInput::Kind;

void ExpectText(const std::string& line, int session, const std::string& text) {
  const ChatInput input = ParseChatInput(line);
  EXPECT_EQ(input.kind, Kind::kText) << line;
  EXPECT_EQ(input.session, session) << line;
  EXPECT_EQ(input.text, text) << line;
}

TEST(ChatInput, TextAnswersTheLatest) {
  ExpectText("hello there", 0, "hello there");
  ExpectText("  two blanks", 0, "  two blanks");
  ExpectText("from telnet\r", 0, "from telnet");
  ExpectText("@ann hello", 0, "@ann hello");
  ExpectText("@", 0, "@");
  ExpectText("@-1 x", 0, "@-1 x");
  ExpectText("@99999999999 x", 0, "@99999999999 x");
  ExpectText("//etc/passwd", 0, "/etc/passwd");
}

TEST(ChatInput, TextForANumberedSession) {
  ExpectText("@2 hello", 2, "hello");
  ExpectText("@2  keeps  blanks", 2, " keeps  blanks");
  ExpectText("/to 2 hello", 2, "hello");
  ExpectText("/to   12 hello you", 12, "hello you");
  ExpectText("/to 1 /quit", 1, "/quit");
}

TEST(ChatInput, Commands) {
  EXPECT_EQ(ParseChatInput("").kind, Kind::kNothing);
  EXPECT_EQ(ParseChatInput("/sessions").kind, Kind::kSessions);
  EXPECT_EQ(ParseChatInput("/help").kind, Kind::kHelp);
  EXPECT_EQ(ParseChatInput("/quit").kind, Kind::kQuit);
}

TEST(ChatInput, MistakesAreNeverSent) {
  for (const char* line : {"/tp 2 hello", "/to", "/to two x", "/to 2", "/to 0 x", "@2", "/"}) {
    const ChatInput input = ParseChatInput(line);
    EXPECT_EQ(input.kind, Kind::kMistake) << line;
    EXPECT_NE(input.text, "") << line;
  }
}

TEST(SessionNumbers, CountInTheOrderOfMeeting) {
  SessionNumbers numbers;
  bool is_new = false;
  EXPECT_EQ(numbers.NumberOf("a", is_new), 1);
  EXPECT_TRUE(is_new);
  EXPECT_EQ(numbers.NumberOf("b", is_new), 2);
  EXPECT_EQ(numbers.NumberOf("a", is_new), 1);
  EXPECT_FALSE(is_new);
  EXPECT_EQ(numbers.IdOf(2), "b");
  EXPECT_EQ(numbers.IdOf(3), "");
  EXPECT_EQ(numbers.latest(), 0);
}

TEST(SessionNumbers, AreBounded) {
  SessionNumbers numbers;
  bool is_new = false;
  numbers.Heard(numbers.NumberOf("first", is_new));
  for (size_t i = 0; i < SessionNumbers::kMost; ++i) {
    numbers.NumberOf(absl::StrCat("session ", i), is_new);
  }
  EXPECT_EQ(numbers.size(), SessionNumbers::kMost);
  EXPECT_EQ(numbers.IdOf(1), "");
  EXPECT_EQ(numbers.latest(), 0);
  EXPECT_EQ(numbers.NumberOf("first", is_new), static_cast<int>(SessionNumbers::kMost) + 2);
}

std::string Edited(const std::string& keys) {
  LineEditor editor;
  for (const char key : keys) EXPECT_EQ(editor.Type(key), LineEditor::Key::kEdited);
  return editor.TakeLine();
}

TEST(LineEditor, Edits) {
  EXPECT_EQ(Edited("hallo\x7f\x7f\x7f\x7f"
                   "ello"),
            "hello");
  EXPECT_EQ(Edited("\u4F60\u597D\b"), "\u4F60");
  EXPECT_EQ(Edited("one two  \x17"), "one ");
  EXPECT_EQ(Edited("one\x15two"), "two");
  EXPECT_EQ(Edited("\x7f\x17\x15"), "");
}

TEST(LineEditor, IgnoresKeysWithoutMeaning) {
  EXPECT_EQ(Edited("a\x1b[Ab\x1b[1;5Cc\x1bOPd\x1bxe\x01"
                   "f"),
            "abcdef");
}

TEST(LineEditor, EndsLineAndInput) {
  LineEditor editor;
  EXPECT_EQ(editor.Type('\x04'), LineEditor::Key::kEnd);
  editor.Type('x');
  EXPECT_EQ(editor.Type('\x04'), LineEditor::Key::kEdited);
  EXPECT_EQ(editor.Type('\n'), LineEditor::Key::kEnter);
  EXPECT_EQ(editor.TakeLine(), "x");
  EXPECT_TRUE(editor.empty());
}

TEST(LineEditor, ShowsTheEndOfALongLine) {
  LineEditor editor;
  for (const char key : std::string("abc\u4F60\u597D\tz")) editor.Type(key);
  EXPECT_EQ(editor.Visible(80), "abc\u4F60\u597D\\tz");
  EXPECT_EQ(editor.Visible(6), "\u597D\\tz") << "a wide character is not cut in half";
  EXPECT_EQ(editor.Visible(0), "");
}

TEST(LineEditor, IsBounded) {
  LineEditor editor;
  for (size_t i = 0; i < 2 * LineEditor::kMaxBytes; ++i) editor.Type('x');
  EXPECT_EQ(editor.TakeLine().size(), LineEditor::kMaxBytes);
}

}  // namespace
}  // namespace rawgate::cli
