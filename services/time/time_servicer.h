// TimeService over the same core as the sockets.
#pragma once

#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/rpc/admission.h"
#include "services/time/time_core.h"

namespace rawgate::timesvc {

// Thread-safe.
class TimeServicer final : public time::v1::TimeService::CallbackService {
 public:
  // Both outlive this object.
  TimeServicer(TimeCore& core, rpc::Admission& admission) : core_(core), admission_(admission) {}

  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context,
                                    const time::v1::GetTimeRequest* request,
                                    time::v1::GetTimeResponse* response) override;

 private:
  TimeCore& core_;
  rpc::Admission& admission_;
};

}  // namespace rawgate::timesvc
