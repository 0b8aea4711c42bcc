// Calls of Run, seen from the client's side.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "services/exec/exec_service_testing.h"
#include "services/exec/exec_servicer.h"

namespace rawgate::exec {

// All that one call brought.
struct RunResult {
  grpc::Status status;
  int started = 0;
  std::string job_id;
  std::string out;
  std::string err;
  std::vector<v1::Outcome> outcomes;
  bool outcome_was_last = false;
  bool offsets_match = true;

  void Take(const v1::RunResponse& response) {
    outcome_was_last = response.has_outcome();
    if (response.has_started()) {
      ++started;
      job_id = response.started().job_id();
    }
    if (response.has_outcome()) outcomes.push_back(response.outcome());
    if (!response.has_output()) return;
    std::string& text = response.output().stream() == v1::OUTPUT_STREAM_STDERR ? err : out;
    offsets_match = offsets_match && response.output().offset() == text.size();
    text += response.output().data();
  }
};

class ExecServicerTest : public ::testing::Test {
 protected:
  explicit ExecServicerTest(ExecOptions options = {},
                            absl::Duration stall_timeout = absl::Minutes(1))
      : exec_(std::move(options), {}, {}, stall_timeout) {}

  RunResult Run(const v1::RunRequest& request) {
    RunResult result;
    grpc::ClientContext context;
    const auto reader = stub_->Run(&context, request);
    v1::RunResponse response;
    while (reader->Read(&response)) result.Take(response);
    result.status = reader->Finish();
    return result;
  }
  RunResult Run(const std::string& shell_command) {
    v1::RunRequest request;
    request.set_shell_command(shell_command);
    return Run(request);
  }
  std::string ReasonFor(const v1::RunRequest& request) {
    const absl::Status status = rpc::FromGrpc(Run(request).status);
    return absl::StrCat(absl::StatusCodeToString(status.code()), " ", ReasonOf(status), " ",
                        FieldOf(status));
  }

  ExecServiceFixture exec_;
  std::unique_ptr<v1::ExecService::Stub> stub_ =
      v1::ExecService::NewStub(exec_.service().channel());
};

// A command that runs until it is ended, seen from the client's side.
class FollowedRun {
 public:
  FollowedRun(v1::ExecService::Stub& stub, const std::string& shell_command) {
    v1::RunRequest request;
    request.set_shell_command(shell_command);
    reader_ = stub.Run(&context_, request);
  }
  bool AwaitStarted() {
    v1::RunResponse response;
    if (!reader_->Read(&response)) return false;
    result_.Take(response);
    return result_.started == 1;
  }
  RunResult AwaitEnd() {
    v1::RunResponse response;
    while (reader_->Read(&response)) result_.Take(response);
    result_.status = reader_->Finish();
    return result_;
  }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::RunResponse>> reader_;
  RunResult result_;
};

inline void ExpectCancelledOutcome(const RunResult& result) {
  EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  ASSERT_EQ(result.outcomes.size(), 1u);
  EXPECT_TRUE(result.outcome_was_last);
  EXPECT_TRUE(result.outcomes[0].has_cancelled());
}

}  // namespace rawgate::exec
