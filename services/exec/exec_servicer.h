// ExecService over the same core as the sockets.
#pragma once

#include <functional>
#include <memory>

#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/unary_call.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// Thread-safe.
class ExecServicer final : public v1::ExecService::CallbackService {
 public:
  // Both outlive this object; the core lives on the loop of `admission`'s service. A stream whose
  // client does not read for `stall_timeout` ends.
  ExecServicer(ExecCore& core, rpc::Admission& admission, absl::Duration stall_timeout)
      : core_(core), admission_(admission), stall_timeout_(stall_timeout) {}

  // ---- exec_servicer.cc

  grpc::ServerWriteReactor<v1::RunResponse>* Run(grpc::CallbackServerContext* context,
                                                 const v1::RunRequest* request) override;
  grpc::ServerWriteReactor<v1::AttachResponse>* Attach(grpc::CallbackServerContext* context,
                                                       const v1::AttachRequest* request) override;

  // ---- exec_interact_servicer.cc

  grpc::ServerBidiReactor<v1::InteractRequest, v1::InteractResponse>* Interact(
      grpc::CallbackServerContext* context) override;

  // ---- exec_job_servicer.cc

  grpc::ServerUnaryReactor* WriteStdin(grpc::CallbackServerContext* context,
                                       const v1::WriteStdinRequest* request,
                                       v1::WriteStdinResponse* response) override;
  grpc::ServerUnaryReactor* SignalJob(grpc::CallbackServerContext* context,
                                      const v1::SignalJobRequest* request,
                                      v1::SignalJobResponse* response) override;
  grpc::ServerUnaryReactor* ResizeTerminal(grpc::CallbackServerContext* context,
                                           const v1::ResizeTerminalRequest* request,
                                           v1::ResizeTerminalResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::GetJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* GetLimits(grpc::CallbackServerContext* context,
                                      const v1::GetLimitsRequest* request,
                                      v1::GetLimitsResponse* response) override;

 private:
  // Admits a unary call and runs `work` on the loop thread.
  grpc::ServerUnaryReactor* OnLoop(grpc::CallbackServerContext* context, absl::string_view method,
                                   uint64_t received,
                                   std::function<void(const Caller&, rpc::UnaryDone)> work);

  ExecCore& core_;
  rpc::Admission& admission_;
  const absl::Duration stall_timeout_;
};

}  // namespace rawgate::exec
