#include "services/exec/exec_proto_servicer.h"

#include <optional>

#include "runtime/base/status.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::exec {

absl::StatusOr<CommandSpec> ToCommandSpec(const v1::RunRequest& request) {
  CommandSpec spec;
  if (request.has_shell_command()) spec.shell_command = request.shell_command();
  spec.argv.assign(request.argv().arguments().begin(), request.argv().arguments().end());
  spec.folder = request.working_directory();
  for (const v1::EnvironmentVariable& variable : request.environment()) {
    spec.environment.emplace_back(variable.name(), variable.value());
  }
  spec.input = request.stdin();
  if (request.has_timeout()) {
    const std::optional<absl::Duration> timeout = rpc::FromProto(request.timeout());
    if (!timeout) return FieldError("timeout", "BAD_TIMEOUT", "the timeout is no valid duration");
    spec.timeout = *timeout;
  }
  spec.listener = rpc::kRpcListener;
  return spec;
}

v1::Outcome ToProto(const Job& job) {
  using Kind = Outcome::Kind;
  const Outcome& from = job.outcome();
  v1::Outcome to;
  switch (from.kind) {
    case Kind::kExited:
      to.mutable_exited()->set_code(from.exit_code);
      break;
    case Kind::kSignalled:
      to.mutable_signalled()->set_name(SignalName(from.signal));
      to.mutable_signalled()->set_number(from.signal);
      to.mutable_signalled()->set_core_dumped(from.core_dumped);
      break;
    case Kind::kTimedOut:
      *to.mutable_timed_out()->mutable_timeout() = rpc::ToProto(from.timeout);
      break;
    case Kind::kCancelled:
      to.mutable_cancelled();
      break;
    case Kind::kStartFailed:
      to.mutable_start_failed()->set_errno_value(from.errno_value);
      to.mutable_start_failed()->set_message(from.message);
      break;
    case Kind::kOutputLimit:
      to.mutable_output_limit()->set_limit_bytes(from.output_limit);
      break;
  }
  to.set_stdout_size(job.output(OutputStream::kStdout).size());
  to.set_stderr_size(job.output(OutputStream::kStderr).size());
  *to.mutable_start_time() = rpc::ToProto(from.start_time);
  *to.mutable_end_time() = rpc::ToProto(from.end_time);
  *to.mutable_resource_usage()->mutable_user_time() = rpc::ToProto(from.user_time);
  *to.mutable_resource_usage()->mutable_system_time() = rpc::ToProto(from.system_time);
  to.mutable_resource_usage()->set_max_resident_bytes(from.max_resident_bytes);
  to.set_output_may_be_incomplete(from.output_may_be_incomplete);
  return to;
}

}  // namespace rawgate::exec
