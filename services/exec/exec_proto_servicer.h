// Messages of ExecService to what the core has, and back. Pure.
#pragma once

#include "absl/status/statusor.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// Errors: INVALID_ARGUMENT (BAD_TIMEOUT). What else may be wrong is for the core to find.
absl::StatusOr<CommandSpec> ToCommandSpec(const v1::RunRequest& request);
// Of a job that has ended.
v1::Outcome ToProto(const Job& job);

}  // namespace rawgate::exec
