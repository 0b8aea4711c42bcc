#include "cli/local_terminal.h"

#include <poll.h>
#include <pty.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

class LocalTerminalMode : public testing::Test {
 protected:
  void SetUp() override {
    int user = -1;
    int program = -1;
    ASSERT_EQ(::openpty(&user, &program, nullptr, nullptr, nullptr), 0);
    user_.Reset(user);
    program_.Reset(program);
    ASSERT_FALSE(IsRaw());
  }

  bool IsRaw() const {
    termios mode{};
    EXPECT_EQ(::tcgetattr(program_.get(), &mode), 0);
    return (mode.c_lflag & (ICANON | ECHO | ISIG)) == 0;
  }

  Fd user_;
  Fd program_;
  Interrupt interrupt_;
};

class LocalTerminalSignal : public LocalTerminalMode, public testing::WithParamInterface<int> {
 protected:
  // Ends this process, and fails when the mode was not raw before.
  void DieRaw() {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    LocalTerminal terminal(program_.get(), interrupt_);
    terminal.EnterRawMode();
    if (!IsRaw()) ::_exit(1);
    ::raise(GetParam());
    ::_exit(2);
  }
};

INSTANTIATE_TEST_SUITE_P(All, LocalTerminalSignal, testing::Values(SIGABRT, SIGPIPE, SIGQUIT));

TEST_P(LocalTerminalSignal, ThatNobodyCatchesEndsTheProcessAndRestoresTheMode) {
  EXPECT_EXIT(DieRaw(), testing::KilledBySignal(GetParam()), "");
  EXPECT_FALSE(IsRaw());
}

TEST_F(LocalTerminalMode, ComesBackWithTheHandlersOfBefore) {
  {
    LocalTerminal terminal(program_.get(), interrupt_);
    EXPECT_FALSE(IsRaw());
    terminal.EnterRawMode();
    EXPECT_TRUE(IsRaw());
  }
  EXPECT_FALSE(IsRaw());
  for (const int signal : {SIGQUIT, SIGPIPE, SIGWINCH}) {
    struct sigaction action {};
    ASSERT_EQ(::sigaction(signal, nullptr, &action), 0);
    EXPECT_EQ(action.sa_handler, SIG_DFL) << signal;
  }
}

TEST_F(LocalTerminalMode, IsNotRawAfterASignalThatCameBefore) {
  const Interrupt::Scope other(interrupt_, [] {});
  ASSERT_TRUE(interrupt_.Deliver(SIGTERM));
  LocalTerminal terminal(program_.get(), interrupt_);
  terminal.EnterRawMode();
  EXPECT_FALSE(IsRaw());
}

class LocalTerminalScreen : public LocalTerminalMode {
 protected:
  // What the terminal was told so far.
  std::string Told() const {
    std::string told(4096, '\0');
    pollfd waited{user_.get(), POLLIN, 0};
    if (::poll(&waited, 1, 0) <= 0) return "";
    const ssize_t size = ::read(user_.get(), told.data(), told.size());
    told.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return told;
  }
};

TEST_F(LocalTerminalScreen, TheFirstOneComesBack) {
  {
    LocalTerminal terminal(program_.get(), interrupt_);
    terminal.EnterScreenMode(program_.get());
    EXPECT_THAT(Told(), testing::StartsWith("\x1b[?1049h"));
    EXPECT_TRUE(terminal.Draw("text").ok());
    EXPECT_EQ(Told(), "text");
  }
  EXPECT_THAT(Told(), testing::EndsWith("\x1b[?1049l"));
}

TEST_F(LocalTerminalScreen, NothingIsDrawnAfterASignal) {
  LocalTerminal terminal(program_.get(), interrupt_);
  terminal.EnterScreenMode(program_.get());
  ASSERT_TRUE(interrupt_.Deliver(SIGTERM));
  EXPECT_THAT(Told(), testing::EndsWith("\x1b[?1049l"));
  EXPECT_TRUE(terminal.Draw("text").ok());
  EXPECT_FALSE(terminal.ReenterScreenMode());
  EXPECT_EQ(Told(), "");
}

}  // namespace
}  // namespace rawgate::cli
