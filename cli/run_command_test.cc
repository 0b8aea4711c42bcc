// rawgate run: what is asked for, and what becomes of the answer.
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "cli/command_testing.h"
#include "cli/exec_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using exec::v1::OUTPUT_STREAM_STDERR;
using exec::v1::OUTPUT_STREAM_STDOUT;
using exec::v1::RunRequest;
using testing::ElementsAre;
using testing::HasSubstr;

class RunCommand : public testing::Test {
 protected:
  // The service answers every call with `outcome`.
  void End(const exec::v1::Outcome& outcome) {
    exec_.answer = [outcome](const ExecCall& call) {
      call.Start();
      call.End(outcome);
      return grpc::Status::OK;
    };
  }
  void Exit(int code) {
    exec::v1::Outcome outcome;
    outcome.mutable_exited()->set_code(code);
    End(outcome);
  }

  FakeExec exec_;
  FakeGateway gateway_{&exec_};
};

// With standard input, which is a file, and without.
class RunCommandEitherWay : public RunCommand, public testing::WithParamInterface<bool> {
 protected:
  CliResult Run(std::vector<std::string> words) {
    words.insert(words.begin(), "run");
    if (!GetParam()) words.insert(words.begin() + 1, "-n");
    const CliResult result = gateway_.Run(words);
    EXPECT_EQ(exec_.interactive, GetParam());
    return result;
  }
};

INSTANTIATE_TEST_SUITE_P(Input, RunCommandEitherWay, testing::Bool());

TEST_P(RunCommandEitherWay, PassesOutputByteForByteAndTheExitCode) {
  using std::string_literals::operator""s;
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    call.Output(OUTPUT_STREAM_STDOUT, "one\0\x1b\xff"s);
    call.Output(OUTPUT_STREAM_STDERR, "problem\r\n");
    call.Output(OUTPUT_STREAM_STDOUT, "two");
    call.Exit(7);
    return grpc::Status::OK;
  };
  const CliResult result = Run({"--", "prog"});
  EXPECT_EQ(result.code, 7);
  EXPECT_EQ(result.out, "one\0\x1b\xfftwo"s);
  EXPECT_EQ(result.error, "problem\r\n");
}

TEST_P(RunCommandEitherWay, ExitCodesOfOtherEnds) {
  exec::v1::Outcome outcome;
  const auto expect = [&](int code, const std::string& error) {
    End(outcome);
    const CliResult result = Run({"prog"});
    EXPECT_EQ(result.code, code);
    EXPECT_THAT(result.error, HasSubstr(error));
  };
  outcome.mutable_signalled()->set_name("KILL");
  outcome.mutable_signalled()->set_number(9);
  expect(137, "rawgate run: the command was ended by SIGKILL\n");
  outcome.mutable_timed_out()->mutable_timeout()->set_seconds(60);
  expect(124, "time limit of 1m0s; --timeout sets another");
  outcome.mutable_start_failed()->set_errno_value(ENOENT);
  outcome.mutable_start_failed()->set_message("exec: no such file or directory");
  expect(127, "cannot start the command: exec: no such file or directory\n");
  outcome.mutable_start_failed()->set_errno_value(EACCES);
  expect(126, "cannot start the command");
  outcome.mutable_cancelled();
  expect(255, "ended by the service");
  outcome.mutable_output_limit()->set_limit_bytes(64 << 20);
  expect(255, "64.0 MiB of output");
  outcome.clear_result();
  expect(255, "does not know");
}

TEST_P(RunCommandEitherWay, MissingOutputIsTold) {
  exec::v1::Outcome outcome;
  outcome.mutable_exited()->set_code(0);
  outcome.set_output_may_be_incomplete(true);
  End(outcome);
  const CliResult result = Run({"prog"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.error, HasSubstr("some may be missing"));
}

TEST_P(RunCommandEitherWay, AStreamWithoutOutcomeIsNeverSuccess) {
  exec_.answer = [](const ExecCall& call) {
    call.Output(OUTPUT_STREAM_STDOUT, "partial");
    return grpc::Status::OK;
  };
  const CliResult result = Run({"prog"});
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.out, "partial");
  EXPECT_THAT(result.error, HasSubstr("without telling how the command ended"));
}

TEST_P(RunCommandEitherWay, RefusalIsOurFailure) {
  exec_.answer = [](const ExecCall&) {
    return rpc::ToGrpc(
        Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED", "service exec is stopped"));
  };
  const CliResult result = Run({"prog"});
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.error,
            "rawgate run: service exec is stopped. 'rawgate start' brings it back.\n");
}

TEST_P(RunCommandEitherWay, InterruptCancelsTheCall) {
  Interrupt interrupt;
  bool cancelled = false;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    EXPECT_TRUE(interrupt.Deliver(2));
    EXPECT_FALSE(interrupt.Deliver(2)) << "a second signal ends the process at once";
    while (!call.IsCancelled()) std::this_thread::yield();
    cancelled = true;
    return grpc::Status::CANCELLED;
  };
  std::vector<std::string> words = {"run", "sleep", "60"};
  if (!GetParam()) words.insert(words.begin() + 1, "-n");
  const CliResult result = gateway_.Run(words, "", interrupt);
  gateway_.Stop();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(cancelled);
}

TEST_F(RunCommand, WordsAreArgumentsUntouched) {
  Exit(0);
  EXPECT_EQ(gateway_.Run({"run", "--", "prog", "-n", "--help", "[a,b]", "", "--", "x y"}).code, 0);
  EXPECT_THAT(exec_.last_request.argv().arguments(),
              ElementsAre("prog", "-n", "--help", "[a,b]", "", "--", "x y"));
}

TEST_F(RunCommand, OptionsEndAtTheCommand) {
  Exit(0);
  gateway_.Run({"run", "--cwd", "/tmp", "--timeout=90", "--env", "A=1", "--env", "B=x=y", "-n",
                "ls", "-n", "--timeout", "5s"},
               "not sent");
  const RunRequest& request = exec_.last_request;
  EXPECT_THAT(request.argv().arguments(), ElementsAre("ls", "-n", "--timeout", "5s"));
  EXPECT_EQ(request.working_directory(), "/tmp");
  EXPECT_EQ(request.timeout().seconds(), 90);
  ASSERT_EQ(request.environment_size(), 2);
  EXPECT_EQ(request.environment(0).name(), "A");
  EXPECT_EQ(request.environment(1).value(), "x=y");
  EXPECT_EQ(request.stdin(), "");
  EXPECT_EQ(request.output_policy(), exec::v1::OUTPUT_POLICY_UNSPECIFIED);
  EXPECT_EQ(request.on_disconnect(), exec::v1::ON_DISCONNECT_UNSPECIFIED);
}

TEST_F(RunCommand, OneWordWithShellCharactersIsForAShell) {
  Exit(0);
  gateway_.Run({"run", "--", "ls | wc -l"});
  EXPECT_EQ(exec_.last_request.shell_command(), "ls | wc -l");
  gateway_.Run({"run", "--shell", "true"});
  EXPECT_EQ(exec_.last_request.shell_command(), "true");
  gateway_.Run({"run", "uptime"});
  EXPECT_THAT(exec_.last_request.argv().arguments(), ElementsAre("uptime"));
}

TEST_F(RunCommand, KeepLastIsPassedOn) {
  Exit(0);
  gateway_.Run({"run", "--keep-last", "ping", "localhost"});
  EXPECT_EQ(exec_.last_request.output_policy(), exec::v1::OUTPUT_POLICY_KEEP_LAST);
}

TEST_F(RunCommand, EveryRunHasARequestIdOfItsOwn) {
  Exit(0);
  std::set<std::string> ids;
  const std::vector<std::vector<std::string>> runs = {
      {"run", "true"}, {"run", "-n", "true"}, {"run", "--detach", "true"}};
  for (const auto& words : runs) {
    gateway_.Run(words);
    EXPECT_THAT(exec_.last_request.request_id(), testing::MatchesRegex("[0-9a-f]{32}"));
    ids.insert(exec_.last_request.request_id());
  }
  EXPECT_EQ(ids.size(), runs.size());
}

TEST_F(RunCommand, DetachPrintsTheJobAndLeavesIt) {
  bool cancelled = false;
  exec_.answer = [&](const ExecCall& call) {
    call.Start("4cb1-9");
    call.Output(OUTPUT_STREAM_STDOUT, "not for us");
    while (!call.IsCancelled()) std::this_thread::yield();
    cancelled = true;
    return grpc::Status::CANCELLED;
  };
  const CliResult result = gateway_.Run({"run", "--detach", "--", "make"}, "input");
  gateway_.Stop();
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "4cb1-9\n");
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(cancelled);
  EXPECT_FALSE(exec_.interactive);
  EXPECT_EQ(exec_.last_request.on_disconnect(), exec::v1::ON_DISCONNECT_KEEP);
  EXPECT_EQ(exec_.last_request.stdin(), "input");
}

TEST_F(RunCommand, DetachTellsOfAStartThatFailed) {
  exec_.answer = [](const ExecCall& call) {
    call.Start("4cb1-9", 0);
    exec::v1::Outcome outcome;
    outcome.mutable_start_failed()->set_errno_value(ENOENT);
    outcome.mutable_start_failed()->set_message("exec: No such file or directory");
    call.End(outcome);
    return grpc::Status::OK;
  };
  const CliResult result = gateway_.Run({"run", "--detach", "--", "nosuch"});
  EXPECT_EQ(result.code, 127);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.error,
            "rawgate run: cannot start the command: exec: No such file or directory\n");
}

TEST_F(RunCommand, DetachOfWhatNeverStartedIsOurFailure) {
  exec_.answer = [](const ExecCall&) {
    return rpc::ToGrpc(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_COMMANDS", "64 commands wait"));
  };
  const CliResult result = gateway_.Run({"run", "--detach", "--", "make"});
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.error, HasSubstr("64 commands wait"));
}

TEST_F(RunCommand, LeavingBeforeADetachedCommandStartsIsTold) {
  Interrupt interrupt;
  exec_.answer = [&](const ExecCall& call) {
    interrupt.Deliver(2);
    while (!call.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const CliResult result = gateway_.Run({"run", "--detach", "--", "make"}, "", interrupt);
  gateway_.Stop();
  EXPECT_EQ(result.code, 130);
  EXPECT_THAT(result.error, HasSubstr("it may start yet, 'rawgate jobs' shows it"));
}

TEST_F(RunCommand, DetachSaysThatItWaitsForStandardInput) {
  Exit(0);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const MemoryFile out;
  Console console(ends[0], out.fd(), told[1]);
  Interrupt interrupt;
  int code = -1;
  std::thread rawgate([&] {
    code = RunCommandLine({"--gateway", gateway_.target(), "run", "--detach", "wc"}, console,
                          interrupt);
  });
  // Nobody ends the input until it was told.
  std::string text;
  for (char byte = 0; byte != '\n' && ::read(told[0], &byte, 1) == 1;) text += byte;
  EXPECT_THAT(text, HasSubstr("rawgate run: waiting for the end of standard input"));
  EXPECT_EQ(::write(ends[1], "late", 4), 4);
  ::close(ends[1]);
  rawgate.join();
  EXPECT_EQ(code, 0);
  EXPECT_EQ(exec_.last_request.stdin(), "late");
  for (const int fd : {ends[0], told[0], told[1]}) ::close(fd);
}

TEST_F(RunCommand, TooMuchInputForADetachedCommandIsOurFailure) {
  Exit(0);
  const CliResult result =
      gateway_.Run({"run", "--detach", "wc"}, std::string((size_t{1} << 20) + 1, 'x'));
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.error,
            "rawgate run: standard input is longer than 1048576 bytes. 'rawgate put' it as a file "
            "and let the command read that.\n");
}

}  // namespace
}  // namespace rawgate::cli
