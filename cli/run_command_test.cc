#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <thread>

#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using exec::v1::OUTPUT_STREAM_STDERR;
using exec::v1::OUTPUT_STREAM_STDOUT;
using exec::v1::RunRequest;
using exec::v1::RunResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using Writer = grpc::ServerWriter<RunResponse>;

// Answers with what the test says and keeps the request.
class FakeExec final : public exec::v1::ExecService::Service {
 public:
  grpc::Status Run(grpc::ServerContext* context, const RunRequest* request,
                   Writer* writer) override {
    last_request = *request;
    return answer(*context, *writer);
  }

  std::function<grpc::Status(grpc::ServerContext&, Writer&)> answer;
  RunRequest last_request;
};

class RunCommand : public testing::Test {
 protected:
  // The service answers every call with `outcome`.
  void End(const exec::v1::Outcome& outcome) {
    exec_.answer = [outcome](grpc::ServerContext&, Writer& writer) {
      RunResponse response;
      *response.mutable_outcome() = outcome;
      writer.Write(response);
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

void Send(Writer& writer, exec::v1::OutputStream stream, const std::string& data) {
  RunResponse response;
  response.mutable_output()->set_stream(stream);
  response.mutable_output()->set_data(data);
  writer.Write(response);
}

TEST_F(RunCommand, PassesOutputByteForByteAndTheExitCode) {
  using std::string_literals::operator""s;
  exec_.answer = [](grpc::ServerContext&, Writer& writer) {
    RunResponse response;
    response.mutable_started()->set_pid(1);
    writer.Write(response);
    Send(writer, OUTPUT_STREAM_STDOUT, "one\0\x1b\xff"s);
    Send(writer, OUTPUT_STREAM_STDERR, "problem\r\n");
    Send(writer, OUTPUT_STREAM_STDOUT, "two");
    response.mutable_outcome()->mutable_exited()->set_code(7);
    writer.Write(response);
    return grpc::Status::OK;
  };
  const CliResult result = gateway_.Run({"run", "--", "prog"});
  EXPECT_EQ(result.code, 7);
  EXPECT_EQ(result.out, "one\0\x1b\xfftwo"s);
  EXPECT_EQ(result.error, "problem\r\n");
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

TEST_F(RunCommand, SendsStandardInput) {
  Exit(0);
  const std::string input(size_t{1} << 20, 'x');
  EXPECT_EQ(gateway_.Run({"run", "wc"}, input).code, 0);
  EXPECT_EQ(exec_.last_request.stdin(), input);
}

TEST_F(RunCommand, SaysThatItWaitsForStandardInput) {
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
    code = RunCommandLine({"--gateway", gateway_.target(), "run", "wc"}, console, interrupt);
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

TEST_F(RunCommand, TooMuchInputIsOurFailure) {
  Exit(0);
  const CliResult result = gateway_.Run({"run", "wc"}, std::string((size_t{1} << 20) + 1, 'x'));
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.error,
            "rawgate run: standard input is longer than 1048576 bytes. 'rawgate put' it as a file "
            "and let the command read that.\n");
}

TEST_F(RunCommand, ExitCodesOfOtherEnds) {
  exec::v1::Outcome outcome;
  const auto expect = [&](int code, const std::string& error) {
    End(outcome);
    const CliResult result = gateway_.Run({"run", "prog"});
    EXPECT_EQ(result.code, code);
    EXPECT_THAT(result.error, HasSubstr(error));
  };
  outcome.mutable_signalled()->set_name("KILL");
  outcome.mutable_signalled()->set_number(9);
  expect(137, "rawgate run: the command was ended by SIGKILL\n");
  outcome.mutable_timed_out()->mutable_timeout()->set_seconds(60);
  expect(124, "time limit of 1m0s");
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

TEST_F(RunCommand, MissingOutputIsTold) {
  exec::v1::Outcome outcome;
  outcome.mutable_exited()->set_code(0);
  outcome.set_output_may_be_incomplete(true);
  End(outcome);
  const CliResult result = gateway_.Run({"run", "prog"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.error, HasSubstr("some may be missing"));
}

TEST_F(RunCommand, AStreamWithoutOutcomeIsNeverSuccess) {
  exec_.answer = [](grpc::ServerContext&, Writer& writer) {
    Send(writer, OUTPUT_STREAM_STDOUT, "partial");
    return grpc::Status::OK;
  };
  const CliResult result = gateway_.Run({"run", "prog"});
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.out, "partial");
  EXPECT_THAT(result.error, HasSubstr("without telling how the command ended"));
}

TEST_F(RunCommand, RefusalIsOurFailure) {
  exec_.answer = [](grpc::ServerContext&, Writer&) {
    return rpc::ToGrpc(
        Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED", "service exec is stopped"));
  };
  const CliResult result = gateway_.Run({"run", "prog"});
  EXPECT_EQ(result.code, 255);
  EXPECT_EQ(result.error,
            "rawgate run: service exec is stopped. 'rawgate start' brings it back.\n");
}

TEST_F(RunCommand, InterruptCancelsTheCall) {
  Interrupt interrupt;
  bool cancelled = false;
  exec_.answer = [&](grpc::ServerContext& context, Writer&) {
    EXPECT_TRUE(interrupt.Deliver(2));
    EXPECT_FALSE(interrupt.Deliver(2)) << "a second signal ends the process at once";
    while (!context.IsCancelled()) std::this_thread::yield();
    cancelled = true;
    return grpc::Status::CANCELLED;
  };
  const CliResult result = gateway_.Run({"run", "sleep", "60"}, "", interrupt);
  gateway_.Stop();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error, "");
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace rawgate::cli
