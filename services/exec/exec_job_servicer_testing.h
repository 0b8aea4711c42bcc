// Calls about a command that somebody else has started.
#pragma once

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "grpcpp/client_context.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_service_testing.h"

namespace rawgate::exec {

using ::rawgate::testing::Eventually;

// What a call of Attach brought.
struct Attachment {
  std::string reason;
  v1::Attached attached;
  std::string out;
  std::string err;
  std::optional<v1::Outcome> outcome;
};

class JobServicerTest : public ::testing::Test {
 protected:
  explicit JobServicerTest(ExecOptions options = {}) : exec_(std::move(options)) {}

  static v1::RunRequest Kept(const std::string& shell_command) {
    v1::RunRequest request;
    request.set_shell_command(shell_command);
    request.set_on_disconnect(v1::ON_DISCONNECT_KEEP);
    return request;
  }
  // Starts a command, and leaves when it runs.
  std::string StartAndLeave(const v1::RunRequest& request) {
    grpc::ClientContext context;
    const auto reader = stub_->Run(&context, request);
    v1::RunResponse response;
    const std::string id =
        reader->Read(&response) && response.has_started() ? response.started().job_id() : "";
    context.TryCancel();
    reader->Finish();
    return id;
  }
  Attachment Attach(const std::string& id, uint64_t out = 0, uint64_t err = 0) {
    v1::AttachRequest request;
    request.set_job_id(id);
    request.set_stdout_offset(out);
    request.set_stderr_offset(err);
    grpc::ClientContext context;
    const auto reader = stub_->Attach(&context, request);
    Attachment result;
    v1::AttachResponse response;
    while (reader->Read(&response)) {
      if (response.has_attached()) result.attached = response.attached();
      if (response.has_outcome()) result.outcome = response.outcome();
      if (!response.has_output()) continue;
      const bool is_err = response.output().stream() == v1::OUTPUT_STREAM_STDERR;
      (is_err ? result.err : result.out) += response.output().data();
    }
    result.reason = ReasonOf(rpc::FromGrpc(reader->Finish()));
    return result;
  }
  // The reason of the error, "OK" when there is none.
  template <typename Request, typename Response>
  std::string Call(grpc::Status (v1::ExecService::Stub::*method)(grpc::ClientContext*,
                                                                 const Request&, Response*),
                   const Request& request, Response* response) {
    grpc::ClientContext context;
    return ReasonOf(rpc::FromGrpc((stub_.get()->*method)(&context, request, response)));
  }
  std::string Write(const std::string& id, const std::string& data, bool end = false,
                    std::optional<uint64_t> offset = std::nullopt) {
    v1::WriteStdinRequest request;
    request.set_job_id(id);
    request.set_data(data);
    request.set_end(end);
    if (offset) request.set_offset(*offset);
    v1::WriteStdinResponse response;
    const std::string reason = Call(&v1::ExecService::Stub::WriteStdin, request, &response);
    if (reason == "OK") committed_ = response.committed_size();
    return reason;
  }
  std::string Signal(const std::string& id, v1::Signal signal,
                     v1::SignalTarget target = v1::SIGNAL_TARGET_UNSPECIFIED) {
    v1::SignalJobRequest request;
    request.set_job_id(id);
    request.set_signal(signal);
    request.set_target(target);
    v1::SignalJobResponse response;
    return Call(&v1::ExecService::Stub::SignalJob, request, &response);
  }
  v1::Job Get(const std::string& id) {
    v1::GetJobRequest request;
    request.set_job_id(id);
    v1::GetJobResponse response;
    EXPECT_EQ(Call(&v1::ExecService::Stub::GetJob, request, &response), "OK");
    return response.job();
  }
  void AwaitOutput(const std::string& id, uint64_t size) {
    EXPECT_TRUE(Eventually([&] { return Get(id).standard_output().size() >= size; }));
  }
  void AwaitEnd(const std::string& id) {
    EXPECT_TRUE(Eventually([&] { return Get(id).state() == v1::JOB_STATE_ENDED; }));
  }

  ExecServiceFixture exec_;
  std::unique_ptr<v1::ExecService::Stub> stub_ =
      v1::ExecService::NewStub(exec_.service().channel());
  uint64_t committed_ = 0;
};

}  // namespace rawgate::exec
