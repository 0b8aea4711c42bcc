// For tests of the commands that deal with jobs: an ExecService that does what the test says.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "grpcpp/grpcpp.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"

namespace rawgate::cli {

// A call of Run, Interact or Attach, as the service sees it.
class ExecCall {
 public:
  using Read = std::function<bool(exec::v1::InteractRequest&)>;
  using Write = std::function<bool(const exec::v1::RunResponse&)>;

  ExecCall(const grpc::ServerContext& context, Read read, Write write)
      : context_(context), read_(std::move(read)), write_(std::move(write)) {}

  bool IsCancelled() const { return context_.IsCancelled(); }

  // What comes after `start`. False at the end of input, at once for Run and Attach.
  bool Next(exec::v1::InteractRequest& request) const { return read_(request); }

  void Start(const std::string& job_id = "7f3a-1", int pid = 17) const {
    exec::v1::RunResponse response;
    response.mutable_started()->set_job_id(job_id);
    response.mutable_started()->set_pid(pid);
    write_(response);
  }
  bool Output(exec::v1::OutputStream stream, const std::string& data) const {
    exec::v1::RunResponse response;
    response.mutable_output()->set_stream(stream);
    response.mutable_output()->set_data(data);
    return write_(response);
  }
  void End(const exec::v1::Outcome& outcome) const {
    exec::v1::RunResponse response;
    *response.mutable_outcome() = outcome;
    write_(response);
  }
  void Exit(int code) const {
    exec::v1::Outcome outcome;
    outcome.mutable_exited()->set_code(code);
    End(outcome);
  }

 private:
  const grpc::ServerContext& context_;
  const Read read_;
  const Write write_;
};

class FakeExec final : public exec::v1::ExecService::Service {
 public:
  grpc::Status Run(grpc::ServerContext* context, const exec::v1::RunRequest* request,
                   grpc::ServerWriter<exec::v1::RunResponse>* writer) override {
    last_request = *request;
    interactive = false;
    return answer(ExecCall(*context, NoInput, [&](const auto& r) { return writer->Write(r); }));
  }

  grpc::Status Interact(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<exec::v1::InteractResponse,
                                                 exec::v1::InteractRequest>* stream) override {
    exec::v1::InteractRequest first;
    if (!stream->Read(&first) || !first.has_start()) {
      return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no start");
    }
    last_request = first.start();
    interactive = true;
    return answer(ExecCall(
        *context, [stream](exec::v1::InteractRequest& request) { return stream->Read(&request); },
        [stream](const exec::v1::RunResponse& response) {
          return stream->Write(As<exec::v1::InteractResponse>(response));
        }));
  }

  grpc::Status Attach(grpc::ServerContext* context, const exec::v1::AttachRequest* request,
                      grpc::ServerWriter<exec::v1::AttachResponse>* writer) override {
    last_attach = *request;
    exec::v1::AttachResponse first;
    *first.mutable_attached() = attached;
    writer->Write(first);
    return answer(ExecCall(*context, NoInput, [&](const exec::v1::RunResponse& response) {
      return writer->Write(As<exec::v1::AttachResponse>(response));
    }));
  }

  grpc::Status SignalJob(grpc::ServerContext*, const exec::v1::SignalJobRequest* request,
                         exec::v1::SignalJobResponse*) override {
    last_signal = *request;
    return signal_status;
  }

  grpc::Status GetJob(grpc::ServerContext*, const exec::v1::GetJobRequest* request,
                      exec::v1::GetJobResponse* response) override {
    *response->mutable_job() = job;
    response->mutable_job()->set_job_id(request->job_id());
    return grpc::Status::OK;
  }

  grpc::Status ListJobs(grpc::ServerContext*, const exec::v1::ListJobsRequest* request,
                        exec::v1::ListJobsResponse* response) override {
    return list(*request, *response);
  }

  // Of Run, Interact and Attach, after `start` and `attached`.
  std::function<grpc::Status(const ExecCall&)> answer;
  std::function<grpc::Status(const exec::v1::ListJobsRequest&, exec::v1::ListJobsResponse&)> list;
  grpc::Status signal_status;
  exec::v1::Attached attached;
  exec::v1::Job job;

  exec::v1::RunRequest last_request;
  // Whether that came by Interact.
  bool interactive = false;
  exec::v1::AttachRequest last_attach;
  exec::v1::SignalJobRequest last_signal;

 private:
  static bool NoInput(exec::v1::InteractRequest&) { return false; }

  // The responses of all three have the same fields but for their first.
  template <typename Response>
  static Response As(const exec::v1::RunResponse& response) {
    Response result;
    result.ParseFromString(response.SerializeAsString());
    return result;
  }
};

}  // namespace rawgate::cli
