// The operator's prompt at a terminal: a pseudo-terminal pair stands for it.
#include "cli/chat_screen.h"

#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

constexpr char kClear[] = "\r\x1b[J";
constexpr char kLeft[] = "\x1b[D";

class ChatScreenAtATerminal : public testing::Test {
 protected:
  void SetUp() override {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread
    ::setenv("NO_COLOR", "1", 1);
    int user = -1;
    int program = -1;
    ASSERT_EQ(::openpty(&user, &program, nullptr, nullptr, nullptr), 0);
    user_.Reset(user);
    program_.Reset(program);
    SetColumns(20);
    // Output as it was written: no carriage return before a newline.
    termios mode = Mode();
    mode.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    ASSERT_EQ(::tcsetattr(program, TCSANOW, &mode), 0);
    console_.emplace(program, program, program);
    screen_.emplace(*console_, interrupt_);
    screen_->SetPrompt({1, "p:1"});
  }

  void SetColumns(unsigned short columns) const {
    winsize size{};
    size.ws_col = columns;
    size.ws_row = 5;
    ASSERT_EQ(::ioctl(program_.get(), TIOCSWINSZ, &size), 0);
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

  Fd user_;
  Fd program_;
  Interrupt interrupt_;
  std::optional<Console> console_;
  std::optional<ChatScreen> screen_;
};

TEST_F(ChatScreenAtATerminal, LeavesCanonicalModeAndComesBack) {
  EXPECT_TRUE(screen_->interactive());
  EXPECT_EQ(Mode().c_lflag & (ICANON | ECHO), 0u);
  EXPECT_NE(Mode().c_lflag & ISIG, 0u);
  EXPECT_EQ(Drawn(), "\x1b[?2004h#1 p:1> ") << "what is pasted comes in brackets";
  screen_.reset();
  EXPECT_EQ(Mode().c_lflag & (ICANON | ECHO), tcflag_t{ICANON | ECHO});
  EXPECT_EQ(Drawn(), std::string(kClear) + "\x1b[?2004l");
}

TEST_F(ChatScreenAtATerminal, ASignalRestoresTheMode) {
  EXPECT_TRUE(interrupt_.Deliver(2));
  EXPECT_EQ(Mode().c_lflag & (ICANON | ECHO), tcflag_t{ICANON | ECHO});
}

TEST_F(ChatScreenAtATerminal, MessagesComeAboveTheLineBeingTyped) {
  screen_->Type("hel");
  Drawn();
  screen_->Show("a message\n");
  EXPECT_EQ(Drawn(), std::string(kClear) + "a message\n" + kClear + "#1 p:1> hel");
}

TEST_F(ChatScreenAtATerminal, TheCursorStandsInTheLine) {
  screen_->Type("你好");
  Drawn();
  screen_->Type(kLeft);
  EXPECT_EQ(Drawn(), std::string(kClear) + "#1 p:1> 你\0337好\0338");
}

TEST_F(ChatScreenAtATerminal, ThePromptDoesNotChangeUnderTheFingers) {
  screen_->Type("hello");
  screen_->SetPrompt({2, "p:2"});
  EXPECT_EQ(Drawn().find("#2"), std::string::npos);
  const std::vector<ChatScreen::Typed> typed = screen_->Type("\n");
  ASSERT_EQ(typed.size(), 1u);
  EXPECT_TRUE(typed[0].is_line);
  EXPECT_EQ(typed[0].line, "hello");
  EXPECT_EQ(typed[0].session, 1);
  EXPECT_EQ(Drawn(), std::string(kClear) + "#2 p:2> ");
  EXPECT_EQ(screen_->Type("\n")[0].session, 2);
}

TEST_F(ChatScreenAtATerminal, WhatIsPastedIsOneLine) {
  EXPECT_TRUE(screen_->Type("\x1b[200~one\ntwo\n\x1b[201~").empty());
  const std::vector<ChatScreen::Typed> typed = screen_->Type("\n");
  ASSERT_EQ(typed.size(), 1u);
  EXPECT_EQ(typed[0].line, "one\ntwo");
}

TEST_F(ChatScreenAtATerminal, ALongLineNeverWraps) {
  screen_->Type("0123456789abcdefghijklmn");
  Drawn();
  screen_->Type("o");
  EXPECT_EQ(Drawn(), std::string(kClear) + "#1 p:1> " + "<fghijklmno");
}

// Terminals break what is there into rows of the new width: the prompt began one row above.
TEST_F(ChatScreenAtATerminal, ANarrowerOneIsDrawnAnew) {
  screen_->Type("hello");
  Drawn();
  SetColumns(10);
  screen_->Redraw();
  EXPECT_EQ(Drawn(), std::string("\x1b[1A") + kClear + "#1> hello");
  screen_->Redraw();
  EXPECT_EQ(Drawn(), std::string(kClear) + "#1> hello");
}

TEST_F(ChatScreenAtATerminal, ControlDEndsOnAnEmptyLine) {
  EXPECT_TRUE(screen_->Type("x\x04").empty());
  const std::vector<ChatScreen::Typed> typed = screen_->Type("\x15\x04");
  ASSERT_EQ(typed.size(), 1u);
  EXPECT_FALSE(typed[0].is_line);
}

}  // namespace
}  // namespace rawgate::cli
