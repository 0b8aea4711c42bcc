// Messages of ExecService to what the core has, and back. Pure.
#pragma once

#include "absl/status/statusor.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "runtime/rpc/admission.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// Errors: INVALID_ARGUMENT (BAD_TIMEOUT, BAD_TERMINAL). What else may be wrong is for the core to
// find.
absl::StatusOr<CommandSpec> ToCommandSpec(const v1::RunRequest& request);
// Who made the call.
Caller CallerOf(const rpc::Call& call);
// What is asked for, for watchers.
std::string DescribeRun(const v1::RunRequest& request);
v1::OutputStream ToProto(OutputStream stream);
// Of a job that has ended.
v1::Outcome ToProto(const Job& job);
v1::Job DescribeJob(const Job& job);
// On the core's loop.
v1::GetLimitsResponse DescribeLimits(const ExecCore& core);
// The signal's number. Error: INVALID_ARGUMENT (BAD_SIGNAL).
absl::StatusOr<int> ToSignal(v1::Signal signal);
// Error: INVALID_ARGUMENT (BAD_TERMINAL), for `field`.
absl::StatusOr<WindowSize> ToWindowSize(const v1::WindowSize& size, absl::string_view field);

}  // namespace rawgate::exec
