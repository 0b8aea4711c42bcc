// The operator's prompt at a terminal: a pseudo-terminal pair stands for it.
#include "cli/chat_screen.h"

#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

using Key = LineEditor::Key;

constexpr char kClear[] = "\r\x1b[K";

class ChatScreenAtATerminal : public testing::Test {
 protected:
  void SetUp() override {
    winsize size{};
    size.ws_col = 20;
    size.ws_row = 5;
    int user = -1;
    int program = -1;
    ASSERT_EQ(::openpty(&user, &program, nullptr, nullptr, &size), 0);
    user_.Reset(user);
    program_.Reset(program);
    // Output as it was written: no carriage return before a newline.
    termios mode = Mode();
    mode.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    ASSERT_EQ(::tcsetattr(program, TCSANOW, &mode), 0);
    console_.emplace(program, program, program);
    screen_.emplace(*console_);
  }

  termios Mode() const {
    termios mode{};
    EXPECT_EQ(::tcgetattr(program_.get(), &mode), 0);
    return mode;
  }

  // Everything written since the last call. A terminal passes bytes on in its own time, but in
  // order: a mark that is written now comes after them.
  std::string Drawn() {
    constexpr char kMark = '\x1e';
    EXPECT_EQ(::write(program_.get(), &kMark, 1), 1);
    std::string drawn;
    while (drawn.empty() || drawn.back() != kMark) {
      char byte = 0;
      if (::read(user_.get(), &byte, 1) != 1) return "the terminal is gone";
      drawn += byte;
    }
    drawn.pop_back();
    return drawn;
  }

  void Type(const std::string& text) {
    for (const char byte : text) screen_->Type(byte);
  }

  Fd user_;
  Fd program_;
  std::optional<Console> console_;
  std::optional<ChatScreen> screen_;
};

TEST_F(ChatScreenAtATerminal, LeavesCanonicalModeAndComesBack) {
  EXPECT_TRUE(screen_->interactive());
  EXPECT_EQ(Mode().c_lflag & (ICANON | ECHO), 0u);
  EXPECT_NE(Mode().c_lflag & ISIG, 0u);
  screen_.reset();
  EXPECT_EQ(Mode().c_lflag & (ICANON | ECHO), tcflag_t{ICANON | ECHO});
}

TEST_F(ChatScreenAtATerminal, MessagesComeAboveTheLineBeingTyped) {
  screen_->SetPrompt("#1> ", 1);
  Type("hel");
  Drawn();
  screen_->Show("a message\n");
  EXPECT_EQ(Drawn(), std::string(kClear) + "a message\n" + kClear + "#1> hel");
}

TEST_F(ChatScreenAtATerminal, ThePromptDoesNotChangeUnderTheFingers) {
  screen_->SetPrompt("#1> ", 1);
  Type("hello");
  screen_->SetPrompt("#2> ", 2);
  EXPECT_EQ(Drawn().find("#2"), std::string::npos);
  const ChatScreen::Typed typed = screen_->Type('\n');
  EXPECT_EQ(typed.key, Key::kEnter);
  EXPECT_EQ(typed.line, "hello");
  EXPECT_EQ(typed.session, 1);
  EXPECT_EQ(Drawn(), std::string(kClear) + "#2> ");
  EXPECT_EQ(screen_->Type('\n').session, 2);
}

TEST_F(ChatScreenAtATerminal, ALongLineNeverWraps) {
  screen_->SetPrompt("#1> ", 1);
  Type("0123456789abcdefghijklmn");
  Drawn();
  Type("o");
  EXPECT_EQ(Drawn(), std::string(kClear) + "#1> " + "abcdefghijklmno");
}

TEST_F(ChatScreenAtATerminal, ControlDEndsOnAnEmptyLine) {
  EXPECT_EQ(screen_->Type('\x04').key, Key::kEnd);
}

}  // namespace
}  // namespace rawgate::cli
