// ExecService over the same core as the sockets.
#pragma once

#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "runtime/rpc/admission.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// Thread-safe.
class ExecServicer final : public v1::ExecService::CallbackService {
 public:
  // Both outlive this object; the core lives on the loop of `admission`'s service. A Run whose
  // client does not read for `stall_timeout` ends.
  ExecServicer(ExecCore& core, rpc::Admission& admission, absl::Duration stall_timeout)
      : core_(core), admission_(admission), stall_timeout_(stall_timeout) {}

  grpc::ServerWriteReactor<v1::RunResponse>* Run(grpc::CallbackServerContext* context,
                                                 const v1::RunRequest* request) override;

 private:
  ExecCore& core_;
  rpc::Admission& admission_;
  const absl::Duration stall_timeout_;
};

}  // namespace rawgate::exec
