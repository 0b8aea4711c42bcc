#include "services/exec/exec_servicer.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_service_testing.h"
#include "services/exec/exec_servicer_testing.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Eventually;
using ::testing::IsEmpty;

TEST_F(ExecServicerTest, StartedThenOutputThenOutcome) {
  const RunResult result = Run("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.started, 1);
  EXPECT_FALSE(result.job_id.empty());
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  ASSERT_EQ(result.outcomes.size(), 1u);
  EXPECT_TRUE(result.outcome_was_last);
  const v1::Outcome& outcome = result.outcomes[0];
  EXPECT_EQ(outcome.exited().code(), 3);
  EXPECT_EQ(outcome.stdout_size(), 4u);
  EXPECT_EQ(outcome.stderr_size(), 4u);
  EXPECT_GT(outcome.resource_usage().max_resident_bytes(), 0u);
  EXPECT_LE(*rpc::FromProto(outcome.start_time()), *rpc::FromProto(outcome.end_time()));
}

TEST_F(ExecServicerTest, ProgramWithArgumentsFolderEnvironmentAndInput) {
  v1::RunRequest request;
  for (const char* argument : {"sh", "-c", "cat; echo $0 $GREETING; pwd", "zero"}) {
    request.mutable_argv()->add_arguments(argument);
  }
  request.set_working_directory("/usr");
  request.set_stdin("given\n");
  auto* const variable = request.add_environment();
  variable->set_name("GREETING");
  variable->set_value("hello");
  EXPECT_EQ(Run(request).out, "given\nzero hello\n/usr\n");
}

TEST_F(ExecServicerTest, EveryOutcomeHasItsMessage) {
  EXPECT_EQ(Run("kill -KILL $$").outcomes.at(0).signalled().name(), "KILL");

  v1::RunRequest request;
  request.set_shell_command("sleep 600");
  *request.mutable_timeout() = rpc::ToProto(absl::Milliseconds(100));
  const RunResult late = Run(request);
  EXPECT_TRUE(late.status.ok());
  EXPECT_EQ(*rpc::FromProto(late.outcomes.at(0).timed_out().timeout()), absl::Milliseconds(100));

  request.Clear();
  request.mutable_argv()->add_arguments("/no/such/program");
  const RunResult unstarted = Run(request);
  EXPECT_TRUE(unstarted.status.ok());
  EXPECT_EQ(unstarted.outcomes.at(0).start_failed().errno_value(), ENOENT);
  EXPECT_EQ(unstarted.outcomes.at(0).start_failed().message(), "exec: No such file or directory");
}

TEST_F(ExecServicerTest, RefusalsNameReasonAndField) {
  v1::RunRequest request;
  EXPECT_EQ(ReasonFor(request), "INVALID_ARGUMENT NO_COMMAND command");
  request.set_shell_command(std::string(kCommandBytesMax + 1, 'x'));
  EXPECT_EQ(ReasonFor(request), "INVALID_ARGUMENT COMMAND_TOO_LONG shell_command");
  request.set_shell_command("true");
  request.mutable_timeout()->set_seconds(100'000);
  EXPECT_EQ(ReasonFor(request), "INVALID_ARGUMENT BAD_TIMEOUT timeout");
  request.mutable_timeout()->set_nanos(-1);
  EXPECT_EQ(ReasonFor(request), "INVALID_ARGUMENT BAD_TIMEOUT timeout");
  request.clear_timeout();
  request.add_environment();
  EXPECT_EQ(ReasonFor(request), "INVALID_ARGUMENT BAD_ENVIRONMENT environment[0].name");
}

TEST_F(ExecServicerTest, LargeOutputArrivesInOrderAndWhole) {
  const RunResult result = Run("seq 1 700000; seq 1 100 >&2");
  ASSERT_TRUE(result.status.ok());
  EXPECT_TRUE(result.offsets_match);
  EXPECT_EQ(result.out.size(), result.outcomes.at(0).stdout_size());
  EXPECT_EQ(result.out.substr(0, 6), "1\n2\n3\n");
  EXPECT_EQ(result.out.substr(result.out.size() - 7), "700000\n");
  EXPECT_EQ(result.err.size(), 292u);
}

TEST_F(ExecServicerTest, OutputComesWhileTheCommandRuns) {
  grpc::ClientContext context;
  v1::RunRequest request;
  request.set_shell_command("echo first; read line < gate; echo $line");
  const std::string gate = exec_.scratch() + "/gate";
  ASSERT_EQ(mkfifo(gate.c_str(), 0666), 0);
  std::filesystem::permissions(gate, std::filesystem::perms::all);
  const auto reader = stub_->Run(&context, request);
  RunResult result;
  v1::RunResponse response;
  while (result.out.empty() && reader->Read(&response)) result.Take(response);
  EXPECT_EQ(result.out, "first\n");
  const Fd writer(open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  ASSERT_EQ(write(writer.get(), "second\n", 7), 7);
  while (reader->Read(&response)) result.Take(response);
  EXPECT_EQ(result.out, "first\nsecond\n");
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(ExecServicerTest, CancelledCallEndsTheCommandAndAllItStarted) {
  const std::string length = UniqueLength();
  grpc::ClientContext context;
  v1::RunRequest request;
  request.set_shell_command(
      absl::StrCat("trap '' HUP; (setsid sleep ", length, " &); sleep ", length));
  const auto reader = stub_->Run(&context, request);
  ASSERT_TRUE(Eventually([&] { return SleepersFor(length).size() == 2; }));
  context.TryCancel();
  v1::RunResponse response;
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_TRUE(Eventually([&] { return exec_.running() == 0; }));
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

TEST_F(ExecServicerTest, PassedDeadlineEndsTheCommand) {
  const std::string length = UniqueLength();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  v1::RunRequest request;
  request.set_shell_command("exec sleep " + length);
  const auto reader = stub_->Run(&context, request);
  v1::RunResponse response;
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return exec_.running() == 0; }));
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

TEST_F(ExecServicerTest, SlowReaderHoldsUpNobodyAndGetsAll) {
  grpc::ClientContext context;
  v1::RunRequest request;
  request.set_shell_command("head -c 30000000 /dev/zero");
  const auto reader = stub_->Run(&context, request);
  v1::RunResponse response;
  ASSERT_TRUE(reader->Read(&response));
  // The command is over although nobody reads: its output waits in a file.
  EXPECT_TRUE(Eventually([&] { return exec_.running() == 0; }));
  EXPECT_EQ(Run("echo quick").out, "quick\n");
  RunResult result;
  while (reader->Read(&response)) result.Take(response);
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(result.out.size(), 30'000'000u);
  EXPECT_EQ(result.outcomes.at(0).exited().code(), 0);
}

TEST_F(ExecServicerTest, CancelledWhileItsOutputWaits) {
  grpc::ClientContext context;
  v1::RunRequest request;
  request.set_shell_command("head -c 30000000 /dev/zero");
  const auto reader = stub_->Run(&context, request);
  EXPECT_TRUE(Eventually([&] { return exec_.running() == 0; }));
  context.TryCancel();
  v1::RunResponse response;
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(ExecServicerTest, StoppedServiceRefuses) {
  ASSERT_TRUE(exec_.service().Stop().ok());
  const absl::Status status = rpc::FromGrpc(Run("echo hi").status);
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_EQ(ReasonOf(status), "SERVICE_STOPPED");
  ASSERT_TRUE(exec_.service().Start().ok());
  EXPECT_EQ(Run("echo hi").out, "hi\n");
}

TEST_F(ExecServicerTest, AStopAfterItsGraceTellsTheOutcome) {
  FollowedRun run(*stub_, "echo before; exec sleep 600");
  ASSERT_TRUE(run.AwaitStarted());
  ASSERT_TRUE(exec_.service().Stop(absl::ZeroDuration()).ok());
  ExpectCancelledOutcome(run.AwaitEnd());
}

TEST_F(ExecServicerTest, AnOperatorsCloseTellsTheOutcome) {
  FollowedRun run(*stub_, "exec sleep 600");
  ASSERT_TRUE(run.AwaitStarted());
  ASSERT_EQ(exec_.Calls().size(), 1u);
  EXPECT_TRUE(exec_.service().admission().Cancel(exec_.Calls()[0].id));
  ExpectCancelledOutcome(run.AwaitEnd());
}

TEST_F(ExecServicerTest, EventsOfACommandNameItsCall) {
  const auto watcher = exec_.service().events().Watch();
  ASSERT_TRUE(Run("true").status.ok());
  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<observe::CommandStarted>(batch.events[0].body));
  EXPECT_TRUE(std::holds_alternative<observe::CommandEnded>(batch.events[1].body));
  EXPECT_TRUE(std::holds_alternative<observe::RequestServed>(batch.events[2].body));
  EXPECT_NE(batch.events[2].connection_id, 0u);
  EXPECT_EQ(batch.events[0].connection_id, batch.events[2].connection_id);
  EXPECT_EQ(batch.events[1].connection_id, batch.events[2].connection_id);
}

}  // namespace
}  // namespace rawgate::exec
