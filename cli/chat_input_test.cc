#include "cli/chat_input.h"

#include <string>
#include <tuple>

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
  ExpectText("@+1 x", 0, "@+1 x");
  ExpectText("@0 x", 0, "@0 x");
  ExpectText("@99999999999 x", 0, "@99999999999 x");
  ExpectText("//etc/passwd", 0, "/etc/passwd");
}

TEST(ChatInput, TextForANumberedSession) {
  ExpectText("@2 hello", 2, "hello");
  ExpectText("@2  keeps  blanks", 2, " keeps  blanks");
  ExpectText("/to 2 hello", 2, "hello");
  ExpectText("/to   12 hello you", 12, "hello you");
  ExpectText("/to 1 /quit", 1, "/quit");
  ExpectText("/to #2 hello", 2, "hello");
  ExpectText("@2 pasted\nlines", 2, "pasted\nlines");
}

TEST(ChatInput, Commands) {
  EXPECT_EQ(ParseChatInput("").kind, Kind::kNothing);
  EXPECT_EQ(ParseChatInput("/sessions").kind, Kind::kSessions);
  EXPECT_EQ(ParseChatInput("/unread").kind, Kind::kUnread);
  EXPECT_EQ(ParseChatInput("/help").kind, Kind::kHelp);
  EXPECT_EQ(ParseChatInput("/quit").kind, Kind::kQuit);
}

TEST(ChatInput, CommandsWithASession) {
  for (const auto& [line, kind, session] : {std::tuple{"/show 2", Kind::kShow, 2},
                                            {"/show", Kind::kShow, 0},
                                            {"/with #12 ", Kind::kWith, 12},
                                            {"/with", Kind::kWith, 0}}) {
    const ChatInput input = ParseChatInput(line);
    EXPECT_EQ(input.kind, kind) << line;
    EXPECT_EQ(input.session, session) << line;
  }
}

TEST(ChatInput, TextForAll) {
  const ChatInput input = ParseChatInput("/all we close  at five");
  EXPECT_EQ(input.kind, Kind::kToAll);
  EXPECT_EQ(input.text, "we close  at five");
}

TEST(ChatInput, MistakesAreNeverSent) {
  for (const char* line : {"/tp 2 hello", "/to", "/to two x", "/to 2", "/to 0 x", "@2", "/", "/all",
                           "/all ", "/show two", "/with 1 2", "/etc/hosts\n/quit", "/\x1b[2J"}) {
    const ChatInput input = ParseChatInput(line);
    EXPECT_EQ(input.kind, Kind::kMistake) << line;
    EXPECT_NE(input.text, "") << line;
    EXPECT_EQ(input.text.find('\x1b'), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace rawgate::cli
