// Faults of a live listener for as long as a lesson runs (ControlService.SetFaults).
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/gateway.h"
#include "cli/lab/stage.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli::lab {

class LiveFaults {
 public:
  // Gives `target` these faults, which it must have none of. Errors: those of SetFaults; ABORTED
  // (FAULTS_IN_USE) when somebody else has given it some.
  static absl::StatusOr<std::unique_ptr<LiveFaults>> Set(Gateway& gateway, const Target& target,
                                                         const control::v1::Faults& faults);
  // Takes them away, also after Ctrl-C.
  ~LiveFaults();
  LiveFaults(const LiveFaults&) = delete;
  LiveFaults& operator=(const LiveFaults&) = delete;

  // What the service made of them: with the seed.
  const control::v1::Faults& faults() const { return faults_; }

 private:
  LiveFaults() = default;

  std::unique_ptr<control::v1::ControlService::Stub> stub_;
  control::v1::SetFaultsRequest request_;
  control::v1::Faults faults_;
};

}  // namespace rawgate::cli::lab
