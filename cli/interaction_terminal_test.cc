// rawgate run --terminal and shell.
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/strings/ascii.h"
#include "cli/command_testing.h"
#include "cli/exec_testing.h"
#include "cli/interaction.h"
#include "cli/interaction_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

using exec::v1::InteractRequest;
using exec::v1::OUTPUT_STREAM_STDOUT;
using testing::ElementsAre;
using testing::HasSubstr;

// A pseudo-terminal pair stands for the terminal, the test for who sits at it.
class AtATerminal : public Interaction {
 protected:
  void SetUp() override {
    winsize size{};
    size.ws_row = 30;
    size.ws_col = 100;
    int user = -1;
    int program = -1;
    ASSERT_EQ(::openpty(&user, &program, nullptr, nullptr, &size), 0);
    user_.Reset(user);
    program_.Reset(program);
  }

  int Run(const std::vector<std::string>& words) {
    return Interaction::Run(words, program_.get(), out_.fd());
  }

  termios Mode() const {
    termios mode{};
    EXPECT_EQ(::tcgetattr(program_.get(), &mode), 0);
    return mode;
  }
  using Flags = std::tuple<tcflag_t, tcflag_t, tcflag_t, tcflag_t>;
  Flags ModeFlags() const {
    const termios mode = Mode();
    return {mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag};
  }
  void AwaitRawMode() const {
    while ((Mode().c_lflag & ICANON) != 0) std::this_thread::yield();
  }

  Fd user_;
  Fd program_;
  const MemoryFile out_;
};

TEST_F(AtATerminal, TheCommandGetsOneLikeOurs) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): gRPC's threads do not read it
  ::setenv("TERM", "vt52", 1);
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    call.Output(OUTPUT_STREAM_STDOUT, "\x1b[2Jhello\r\n");
    call.Exit(4);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"run", "-t", "--keep-last", "--", "top", "-d", "1"}), 4);
  EXPECT_TRUE(exec_.interactive);
  EXPECT_THAT(exec_.last_request.argv().arguments(), ElementsAre("top", "-d", "1"));
  EXPECT_EQ(exec_.last_request.terminal().type(), "vt52");
  EXPECT_EQ(exec_.last_request.terminal().size().rows(), 30u);
  EXPECT_EQ(exec_.last_request.terminal().size().columns(), 100u);
  EXPECT_EQ(exec_.last_request.output_policy(), exec::v1::OUTPUT_POLICY_KEEP_LAST);
  EXPECT_EQ(out_.Content(), "\x1b[2Jhello\r\n");
  EXPECT_EQ(error_.Content(), "");
}

TEST_F(AtATerminal, WithoutTheOptionItIsLeftAlone) {
  const Flags before = ModeFlags();
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    EXPECT_EQ(ModeFlags(), before);
    call.Exit(0);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"run", "true"}), 0);
  EXPECT_FALSE(exec_.interactive);
  EXPECT_FALSE(exec_.last_request.has_terminal());
}

TEST_F(AtATerminal, EveryKeyIsAByte) {
  const std::string keys = "\x03\x04\x11\x13\x16\x1a\x1c\x7f\ra\n";
  std::string received;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    AwaitRawMode();
    EXPECT_TRUE(WriteAll(user_.get(), keys, "the terminal").ok());
    InteractRequest request;
    while (received.size() < keys.size() && call.Next(request)) received += request.stdin();
    call.Exit(0);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"run", "-t", "cat"}), 0);
  EXPECT_EQ(received, keys);
}

TEST_F(AtATerminal, AnotherSizeIsSent) {
  InteractRequest request;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    winsize size{};
    size.ws_row = 40;
    size.ws_col = 120;
    EXPECT_EQ(::ioctl(user_.get(), TIOCSWINSZ, &size), 0);
    // As a terminal does whose foreground process this is.
    EXPECT_EQ(::kill(::getpid(), SIGWINCH), 0);
    EXPECT_TRUE(call.Next(request));
    call.Exit(0);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"run", "-t", "vi"}), 0);
  EXPECT_TRUE(request.has_resize());
  EXPECT_EQ(request.resize().rows(), 40u);
  EXPECT_EQ(request.resize().columns(), 120u);
}

TEST_F(AtATerminal, CtrlCIsForUsUntilTheCommandsTurnHasCome) {
  const Flags before = ModeFlags();
  const Pipe out;
  exec_.answer = [&](const ExecCall& call) {
    // Too early for output, but what came out shows that rawgate waits for the start.
    call.Output(OUTPUT_STREAM_STDOUT, "x");
    char byte = 0;
    EXPECT_EQ(::read(out.read.get(), &byte, 1), 1);
    EXPECT_EQ(ModeFlags(), before);
    call.Start();
    AwaitRawMode();
    call.Exit(0);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Interaction::Run({"run", "-t", "top"}, program_.get(), out.write.get()), 0);
}

TEST_F(AtATerminal, TheModeOfBeforeComesBack) {
  const Flags before = ModeFlags();
  exec::v1::Outcome outcome;
  outcome.mutable_signalled()->set_name("TERM");
  outcome.mutable_signalled()->set_number(15);
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    AwaitRawMode();
    const termios raw = Mode();
    EXPECT_EQ(raw.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), 0u);
    EXPECT_EQ(raw.c_iflag & (ICRNL | IXON), 0u);
    EXPECT_EQ(raw.c_oflag & OPOST, 0u);
    call.End(outcome);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"run", "-t", "top"}), 143);
  EXPECT_EQ(ModeFlags(), before);
  EXPECT_EQ(error_.Content(), "rawgate run: the command was ended by SIGTERM\n");
}

TEST_F(AtATerminal, IsInTheModeOfBeforeWhenSomethingIsTold) {
  exec_.answer = [](const ExecCall& call) {
    exec::v1::Outcome outcome;
    outcome.mutable_cancelled();
    call.Start();
    call.End(outcome);
    return grpc::Status::OK;
  };
  Console console(program_.get(), out_.fd(), program_.get());
  EXPECT_EQ(RunCommandLine({"--gateway", gateway_.target(), "shell"}, console, interrupt_), 255);
  std::string shown;
  for (char byte = 0; byte != '\n' && ::read(user_.get(), &byte, 1) == 1;) shown += byte;
  EXPECT_EQ(shown, "rawgate shell: the command was ended by the service\r\n");
}

TEST_F(AtATerminal, ASignalRestoresTheModeAtOnce) {
  const Flags before = ModeFlags();
  bool cancelled = false;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    AwaitRawMode();
    // Keys are read once that is settled.
    EXPECT_EQ(::write(user_.get(), "k", 1), 1);
    InteractRequest request;
    EXPECT_TRUE(call.Next(request));
    EXPECT_TRUE(interrupt_.Deliver(SIGTERM));
    // A second one would end the process here.
    EXPECT_EQ(ModeFlags(), before);
    while (!call.IsCancelled()) std::this_thread::yield();
    cancelled = true;
    return grpc::Status::CANCELLED;
  };
  EXPECT_EQ(Run({"run", "-t", "top"}), 143);
  gateway_.Stop();
  EXPECT_EQ(ModeFlags(), before);
  EXPECT_TRUE(cancelled);
}

TEST_F(AtATerminal, AHangUpIsTheEndOfInput) {
  bool ended = false;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    AwaitRawMode();
    user_.Reset();
    InteractRequest request;
    ended = !call.Next(request);
    call.Exit(0);
    return grpc::Status::OK;
  };
  Run({"run", "-t", "cat"});
  EXPECT_TRUE(ended);
}

TEST_F(AtATerminal, ShellIsAShellUnlessToldOtherwise) {
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    call.Exit(42);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"shell", "--timeout", "1h", "--cwd", "/tmp"}), 42);
  EXPECT_THAT(exec_.last_request.argv().arguments(), ElementsAre("/bin/sh", "-i"));
  EXPECT_TRUE(exec_.last_request.has_terminal());
  EXPECT_EQ(exec_.last_request.timeout().seconds(), 3600);
  EXPECT_EQ(exec_.last_request.working_directory(), "/tmp");
  EXPECT_THAT(exec_.last_request.request_id(), testing::MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(Run({"shell", "--", "bash", "-l"}), 42);
  EXPECT_THAT(exec_.last_request.argv().arguments(), ElementsAre("bash", "-l"));
}

TEST_F(AtATerminal, ShellTellsUnderItsOwnName) {
  exec_.answer = [](const ExecCall& call) {
    exec::v1::Outcome outcome;
    outcome.mutable_timed_out()->mutable_timeout()->set_seconds(60);
    call.Start();
    call.End(outcome);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"shell"}), 124);
  EXPECT_THAT(error_.Content(), HasSubstr("rawgate shell: the command was ended after its time"));
}

}  // namespace
}  // namespace rawgate::cli
