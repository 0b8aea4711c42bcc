// A command seen by others than who started it: attached to, listed, sent input and signals.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_job_servicer_testing.h"
#include "services/exec/exec_service_testing.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- Attach, GetJob, ListJobs

TEST_F(JobServicerTest, AKeptCommandGoesOnAndIsAttachedTo) {
  v1::RunRequest request = Kept("echo one; read line; echo $line; echo err >&2; exit 3");
  request.set_keep_stdin_open(true);
  const std::string id = StartAndLeave(request);
  AwaitOutput(id, 4);
  EXPECT_EQ(Write(id, "two\n"), "OK");
  const Attachment attachment = Attach(id);
  EXPECT_EQ(attachment.reason, "OK");
  EXPECT_EQ(attachment.attached.job().job_id(), id);
  EXPECT_EQ(attachment.out, "one\ntwo\n");
  EXPECT_EQ(attachment.err, "err\n");
  ASSERT_TRUE(attachment.outcome.has_value());
  EXPECT_EQ(attachment.outcome->exited().code(), 3);
}

TEST_F(JobServicerTest, ACommandThatIsNotKeptEndsWithItsCall) {
  v1::RunRequest request = Kept("sleep 600");
  request.set_on_disconnect(v1::ON_DISCONNECT_END);
  const std::string id = StartAndLeave(request);
  AwaitEnd(id);
  EXPECT_TRUE(Get(id).outcome().has_cancelled());
}

TEST_F(JobServicerTest, OffsetsOfAttach) {
  const std::string id = StartAndLeave(Kept("printf 0123456789; printf abc >&2"));
  AwaitEnd(id);
  const Attachment attachment = Attach(id, 7, 3);
  EXPECT_EQ(attachment.attached.stdout_offset(), 7u);
  EXPECT_EQ(attachment.out, "789");
  EXPECT_EQ(attachment.err, "");
  EXPECT_TRUE(attachment.outcome.has_value());
  EXPECT_EQ(Attach(id, 11, 0).reason, "OFFSET_BEYOND_END");
  EXPECT_EQ(Attach(id, 0, 4).reason, "OFFSET_BEYOND_END");
  EXPECT_EQ(Attach("no such job").reason, "NO_SUCH_JOB");
}

TEST_F(JobServicerTest, LeavingAnAttachmentDoesNotEndTheCommand) {
  const std::string id = StartAndLeave(Kept("echo up; sleep 600"));
  grpc::ClientContext context;
  v1::AttachRequest request;
  request.set_job_id(id);
  const auto reader = stub_->Attach(&context, request);
  v1::AttachResponse response;
  EXPECT_TRUE(reader->Read(&response));
  context.TryCancel();
  reader->Finish();
  EXPECT_TRUE(Eventually([&] { return exec_.Calls().empty(); }));
  EXPECT_EQ(Get(id).state(), v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Signal(id, v1::SIGNAL_KILL), "OK");
  AwaitEnd(id);
}

TEST_F(JobServicerTest, ListsTheNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(StartAndLeave(Kept("exit 0")));
    AwaitEnd(ids.back());
  }
  const std::string running = StartAndLeave(Kept("sleep 600"));
  v1::ListJobsRequest request;
  request.set_page_size(3);
  v1::ListJobsResponse page;
  EXPECT_EQ(Call(&v1::ExecService::Stub::ListJobs, request, &page), "OK");
  ASSERT_EQ(page.jobs_size(), 3);
  EXPECT_EQ(page.jobs(0).job_id(), running);
  EXPECT_EQ(page.jobs(1).job_id(), ids[2]);
  request.set_page_token(page.next_page_token());
  v1::ListJobsResponse last;
  EXPECT_EQ(Call(&v1::ExecService::Stub::ListJobs, request, &last), "OK");
  ASSERT_EQ(last.jobs_size(), 1);
  EXPECT_EQ(last.jobs(0).job_id(), ids[0]);
  EXPECT_EQ(last.next_page_token(), "");

  request.Clear();
  request.set_running_only(true);
  v1::ListJobsResponse unended;
  EXPECT_EQ(Call(&v1::ExecService::Stub::ListJobs, request, &unended), "OK");
  ASSERT_EQ(unended.jobs_size(), 1);
  EXPECT_EQ(unended.jobs(0).listener(), "rpc");
  request.set_page_size(-1);
  EXPECT_EQ(Call(&v1::ExecService::Stub::ListJobs, request, &unended), "BAD_PAGE_SIZE");
  request.set_page_size(0);
  request.set_page_token("x");
  EXPECT_EQ(Call(&v1::ExecService::Stub::ListJobs, request, &unended), "INVALID_PAGE_TOKEN");
}

TEST_F(JobServicerTest, AStoppedServiceLeavesNoKeptCommand) {
  const std::string length = UniqueLength();
  StartAndLeave(Kept(absl::StrCat("sleep ", length)));
  EXPECT_TRUE(Eventually([&] { return SleepersFor(length).size() == 1; }));
  EXPECT_TRUE(exec_.service().Stop(absl::ZeroDuration()).ok());
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

// ---- request_id

TEST_F(JobServicerTest, ARepeatedRequestStartsNothing) {
  v1::RunRequest request = Kept("echo x >> runs; echo out; exit 4");
  request.set_working_directory(exec_.scratch());
  request.set_request_id("once");
  const std::string id = StartAndLeave(request);
  AwaitEnd(id);
  grpc::ClientContext context;
  const auto reader = stub_->Run(&context, request);
  std::vector<std::string> seen;
  v1::RunResponse response;
  while (reader->Read(&response)) {
    if (response.has_started()) seen.push_back(response.started().job_id());
    if (response.has_output()) seen.push_back(response.output().data());
    if (response.has_outcome()) seen.push_back(absl::StrCat(response.outcome().exited().code()));
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(seen, ElementsAre(id, "out\n", "4"));
  EXPECT_EQ(std::filesystem::file_size(exec_.scratch() + "/runs"), 2u);

  request.set_shell_command("another");
  grpc::ClientContext other;
  const auto refused = stub_->Run(&other, request);
  EXPECT_FALSE(refused->Read(&response));
  EXPECT_EQ(ReasonOf(rpc::FromGrpc(refused->Finish())), "REQUEST_ID_REUSED");
}

TEST_F(JobServicerTest, TheFirstOfTwoCallsDoesNotEndTheCommandOfTheSecond) {
  v1::RunRequest request;
  request.set_shell_command("sleep 600");
  request.set_request_id("twice");
  v1::RunResponse response;
  grpc::ClientContext first_context;
  const auto first = stub_->Run(&first_context, request);
  ASSERT_TRUE(first->Read(&response));
  const std::string id = response.started().job_id();
  grpc::ClientContext second_context;
  const auto second = stub_->Run(&second_context, request);
  ASSERT_TRUE(second->Read(&response));
  EXPECT_EQ(response.started().job_id(), id);
  first_context.TryCancel();
  first->Finish();
  EXPECT_TRUE(Eventually([&] { return exec_.Calls().size() == 1; }));
  EXPECT_EQ(Get(id).state(), v1::JOB_STATE_RUNNING);
  second_context.TryCancel();
  second->Finish();
  AwaitEnd(id);
}

// ---- WriteStdin

TEST_F(JobServicerTest, InputComesInPiecesAndEnds) {
  v1::RunRequest request = Kept("cat; echo end");
  request.set_stdin("first ");
  request.set_keep_stdin_open(true);
  const std::string id = StartAndLeave(request);
  AwaitOutput(id, 6);
  EXPECT_EQ(Write(id, "second ", false, 6), "OK");
  EXPECT_EQ(committed_, 13u);
  EXPECT_EQ(Write(id, "second ", false, 6), "WRONG_OFFSET");
  EXPECT_TRUE(Get(id).stdin_open());
  EXPECT_EQ(Write(id, std::string(1 << 20, 'x'), true), "OK");
  EXPECT_EQ(committed_, 13u + (1u << 20));
  EXPECT_EQ(Attach(id).out, absl::StrCat("first second ", std::string(1 << 20, 'x'), "end\n"));
  EXPECT_EQ(Write(id, "late"), "JOB_ENDED");
}

TEST_F(JobServicerTest, InputThatNobodyTakes) {
  const std::string closed = StartAndLeave(Kept("sleep 600"));
  EXPECT_EQ(Write(closed, "x"), "STDIN_CLOSED");
  EXPECT_EQ(Signal(closed, v1::SIGNAL_KILL), "OK");
  EXPECT_EQ(Write("no such job", "x"), "NO_SUCH_JOB");

  v1::RunRequest request = Kept("exec 0<&-; echo closed; sleep 600");
  request.set_keep_stdin_open(true);
  const std::string id = StartAndLeave(request);
  AwaitOutput(id, 7);
  EXPECT_EQ(Write(id, "x"), "STDIN_CLOSED");
  EXPECT_FALSE(Get(id).stdin_open());
  EXPECT_EQ(Write(id, std::string((1 << 20) + 1, 'x')), "INPUT_TOO_LONG");
  EXPECT_EQ(Signal(id, v1::SIGNAL_KILL), "OK");
  AwaitEnd(id);
}

// ---- SignalJob

TEST_F(JobServicerTest, SignalsGoToTheTreeOrToTheFirstProcess) {
  const std::string length = UniqueLength();
  const std::string command = absl::StrCat("trap 'echo got' USR1; echo up; (setsid sleep ", length,
                                           " &) ; while :; do sleep 0.01; done");
  const std::string id = StartAndLeave(Kept(command));
  EXPECT_TRUE(Eventually([&] { return SleepersFor(length).size() == 1; }));
  EXPECT_EQ(Signal(id, v1::SIGNAL_USR1, v1::SIGNAL_TARGET_PROCESS), "OK");
  AwaitOutput(id, 7);
  EXPECT_EQ(SleepersFor(length).size(), 1u);
  // Not INT, which a shell leaves to the program that it waits for.
  EXPECT_EQ(Signal(id, v1::SIGNAL_TERM), "OK");
  AwaitEnd(id);
  EXPECT_EQ(Get(id).outcome().signalled().name(), "TERM");
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  EXPECT_EQ(Signal(id, v1::SIGNAL_INT), "JOB_ENDED");
  EXPECT_EQ(Signal(id, v1::SIGNAL_UNSPECIFIED), "BAD_SIGNAL");
  EXPECT_EQ(Signal("no such job", v1::SIGNAL_INT), "NO_SUCH_JOB");
}

// ---- Terminals

TEST_F(JobServicerTest, ATerminalHasASizeThatChanges) {
  v1::RunRequest request = Kept("trap 'stty size' WINCH; stty size; while :; do sleep 0.01; done");
  request.mutable_terminal()->mutable_size()->set_rows(11);
  request.mutable_terminal()->mutable_size()->set_columns(22);
  const std::string id = StartAndLeave(request);
  AwaitOutput(id, 7);
  v1::ResizeTerminalRequest resize;
  resize.set_job_id(id);
  resize.mutable_size()->set_rows(33);
  resize.mutable_size()->set_columns(44);
  v1::ResizeTerminalResponse response;
  EXPECT_EQ(Call(&v1::ExecService::Stub::ResizeTerminal, resize, &response), "OK");
  AwaitOutput(id, 14);
  // Ctrl-C, by the terminal.
  EXPECT_EQ(Write(id, "\x03"), "OK");
  AwaitEnd(id);
  EXPECT_EQ(Attach(id).out, "11 22\r\n33 44\r\n^C");
  EXPECT_EQ(Get(id).outcome().signalled().name(), "INT");
  EXPECT_EQ(Call(&v1::ExecService::Stub::ResizeTerminal, resize, &response), "JOB_ENDED");

  resize.set_job_id(StartAndLeave(Kept("sleep 600")));
  EXPECT_EQ(Call(&v1::ExecService::Stub::ResizeTerminal, resize, &response), "NO_TERMINAL");
  resize.mutable_size()->set_rows(65536);
  EXPECT_EQ(Call(&v1::ExecService::Stub::ResizeTerminal, resize, &response), "BAD_TERMINAL");
}

TEST_F(JobServicerTest, AShellThatIgnoresTermEndsByItsTerminal) {
  v1::RunRequest request = Kept("exec /bin/sh -i");
  request.mutable_terminal();
  request.mutable_timeout()->set_nanos(300'000'000);
  const std::string id = StartAndLeave(request);
  AwaitEnd(id);
  EXPECT_TRUE(Get(id).outcome().has_timed_out());
}

}  // namespace
}  // namespace rawgate::exec
