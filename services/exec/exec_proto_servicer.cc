#include "services/exec/exec_proto_servicer.h"

#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::exec {
namespace {

uint32_t Saturated(size_t count) {
  return static_cast<uint32_t>(std::min<size_t>(count, std::numeric_limits<uint32_t>::max()));
}

v1::Sandbox ToProto(Sandbox sandbox) {
  switch (sandbox) {
    case Sandbox::kNone:
      return v1::SANDBOX_NONE;
    case Sandbox::kLandlock:
      return v1::SANDBOX_LANDLOCK;
    case Sandbox::kBubblewrap:
      return v1::SANDBOX_BUBBLEWRAP;
  }
  return v1::SANDBOX_UNSPECIFIED;
}

}  // namespace

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
  if (request.has_drain_timeout()) {
    const std::optional<absl::Duration> timeout = rpc::FromProto(request.drain_timeout());
    if (!timeout)
      return FieldError("drain_timeout", "BAD_TIMEOUT", "the timeout is no valid duration");
    spec.drain_timeout = *timeout;
  }
  spec.input_stays_open = request.keep_stdin_open();
  if (request.has_terminal()) {
    const auto size = ToWindowSize(request.terminal().size(), "terminal.size");
    if (!size.ok()) return size.status();
    spec.terminal = *size;
    spec.terminal_type = request.terminal().type();
  }
  spec.request_id = request.request_id();
  spec.keep_last = request.output_policy() == v1::OUTPUT_POLICY_KEEP_LAST;
  spec.listener = rpc::kRpcListener;
  return spec;
}

Caller CallerOf(const rpc::Call& call) {
  Caller caller = {.role = call.role()};
  const std::string peer = call.peer();
  if (absl::StartsWith(peer, "unix:")) {
    const sockaddr unnamed = {.sa_family = AF_UNIX, .sa_data = {}};
    caller.address = net::Endpoint(net::Transport::kUnix, &unnamed, sizeof(unnamed.sa_family));
  } else if (const auto parsed = net::Endpoint::Parse(peer); parsed.ok()) {
    caller.address = *parsed;
  }
  return caller;
}

std::string DescribeRun(const v1::RunRequest& request) {
  return absl::StrCat("run: ", request.has_shell_command()
                                   ? request.shell_command()
                                   : absl::StrJoin(request.argv().arguments(), " "));
}

v1::OutputStream ToProto(OutputStream stream) {
  return stream == OutputStream::kStdout ? v1::OUTPUT_STREAM_STDOUT : v1::OUTPUT_STREAM_STDERR;
}

absl::StatusOr<WindowSize> ToWindowSize(const v1::WindowSize& size, absl::string_view field) {
  constexpr uint32_t kMax = std::numeric_limits<uint16_t>::max();
  if (size.rows() > kMax || size.columns() > kMax) {
    return FieldError(field, "BAD_TERMINAL",
                      absl::StrCat("a terminal has at most ", kMax, " rows and columns"));
  }
  WindowSize window;
  if (size.rows() != 0) window.rows = static_cast<uint16_t>(size.rows());
  if (size.columns() != 0) window.columns = static_cast<uint16_t>(size.columns());
  return window;
}

absl::StatusOr<int> ToSignal(v1::Signal signal) {
  switch (signal) {
    case v1::SIGNAL_HUP:
      return SIGHUP;
    case v1::SIGNAL_INT:
      return SIGINT;
    case v1::SIGNAL_QUIT:
      return SIGQUIT;
    case v1::SIGNAL_TERM:
      return SIGTERM;
    case v1::SIGNAL_KILL:
      return SIGKILL;
    case v1::SIGNAL_USR1:
      return SIGUSR1;
    case v1::SIGNAL_USR2:
      return SIGUSR2;
    default:
      return FieldError("signal", "BAD_SIGNAL",
                        "a command can be sent HUP, INT, QUIT, TERM, KILL, USR1 and USR2");
  }
}

v1::Job DescribeJob(const Job& job) {
  v1::Job to;
  to.set_job_id(job.id());
  to.set_state(job.state() == Job::State::kQueued    ? v1::JOB_STATE_QUEUED
               : job.state() == Job::State::kRunning ? v1::JOB_STATE_RUNNING
                                                     : v1::JOB_STATE_ENDED);
  to.set_command(job.summary());
  to.set_listener(job.spec().listener);
  to.set_connection_id(job.spec().connection_id);
  if (job.state() != Job::State::kQueued) *to.mutable_start_time() = rpc::ToProto(job.start_time());
  to.set_pid(job.pid());
  const auto describe = [&job](OutputStream stream, v1::KeptOutput* kept) {
    kept->set_size(job.output_size(stream));
    kept->set_kept_from(job.kept_from(stream));
  };
  describe(OutputStream::kStdout, to.mutable_standard_output());
  describe(OutputStream::kStderr, to.mutable_standard_error());
  to.set_stdin_open(job.takes_input());
  to.set_terminal(job.spec().terminal.has_value());
  to.set_request_id(job.spec().request_id);
  if (job.state() == Job::State::kEnded) *to.mutable_outcome() = ToProto(job);
  return to;
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
  to.set_stdout_size(job.output_size(OutputStream::kStdout));
  to.set_stderr_size(job.output_size(OutputStream::kStderr));
  *to.mutable_start_time() = rpc::ToProto(from.start_time);
  *to.mutable_end_time() = rpc::ToProto(from.end_time);
  *to.mutable_resource_usage()->mutable_user_time() = rpc::ToProto(from.user_time);
  *to.mutable_resource_usage()->mutable_system_time() = rpc::ToProto(from.system_time);
  to.mutable_resource_usage()->set_max_resident_bytes(from.max_resident_bytes);
  to.set_output_may_be_incomplete(from.output_may_be_incomplete);
  return to;
}

v1::GetLimitsResponse DescribeLimits(const ExecCore& core) {
  const Confinement confinement = ConfinementBy(core.policy());
  const ExecOptions& options = core.options();
  v1::GetLimitsResponse limits;
  if (confinement.sandbox) limits.set_sandbox(ToProto(*confinement.sandbox));
  limits.set_has_policy(core.policy().given());
  limits.set_run_as(confinement.user);
  limits.set_runs_as_root(confinement.root);
  *limits.mutable_default_timeout() = rpc::ToProto(options.timeout_default);
  *limits.mutable_max_timeout() = rpc::ToProto(options.timeout_max);
  limits.set_max_running(Saturated(options.commands_max));
  limits.set_max_queued(Saturated(options.queue_max));
  limits.set_running(Saturated(core.running()));
  limits.set_queued(Saturated(core.waiting()));
  limits.set_max_output_bytes(options.output_max);
  return limits;
}

}  // namespace rawgate::exec
