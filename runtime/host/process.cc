#include "runtime/host/process.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

#include <boost/json.hpp>

#include "absl/flags/flag.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/host/command_line.h"
#include "runtime/host/flags.h"
#include "runtime/host/healthcheck.h"
#include "runtime/host/systemd.h"
#include "runtime/net/inherited_sockets.h"
#include "runtime/rpc/grpc_log.h"

namespace rawgate::host {
namespace {

// What malloc keeps of freed memory at the end of each arena. glibc's own 128 KiB is less than one
// message of a stream: each gave its pages back, and the next one had the kernel clear new ones.
constexpr int kHeapTrim = 4 << 20;
// From this size on an allocation is a mapping of its own, which goes when it is freed. Without it
// the threshold would follow the largest mapping freed so far.
constexpr int kHeapMapping = 1 << 20;

[[noreturn]] void ExitWithUsageError(const std::string& program, absl::string_view message) {
  std::fprintf(stderr, "rawgate-%s: %s\n", program.c_str(), std::string(message).c_str());
  std::exit(kUsageError);
}

absl::StatusOr<std::vector<NamedEndpoint>> ParseListen(absl::string_view text) {
  std::vector<NamedEndpoint> endpoints;
  std::map<std::string, int> seen;
  for (absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    const size_t equals = item.find('=');
    if (equals == absl::string_view::npos || equals == 0) {
      return FieldError("listen", "BAD_LISTEN",
                        absl::StrCat("--listen: \"", item, "\" is not NAME=URI"));
    }
    std::string role(absl::StripAsciiWhitespace(item.substr(0, equals)));
    const int count = ++seen[role];
    const std::string name = count == 1 ? role : absl::StrCat(role, "-", count);
    const absl::string_view uri = absl::StripAsciiWhitespace(item.substr(equals + 1));
    const size_t question = std::min(uri.find('?'), uri.size());
    absl::StatusOr<net::Endpoint> endpoint = net::Endpoint::Parse(uri.substr(0, question));
    if (!endpoint.ok()) return endpoint.status();
    const absl::string_view given = question < uri.size() ? uri.substr(question + 1) : "";
    absl::StatusOr<ListenerOptions> options =
        ListenerOptions::Parse(absl::StrCat(name, " (", uri, ")"), given);
    if (!options.ok()) return options.status();
    endpoints.push_back({role, name, *endpoint, *std::move(options)});
  }
  return endpoints;
}

// Servers hold a descriptor for each connection: take what the system administrator allows.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Debian builds Abseil with its debugging on: each lock and unlock, gRPC's included, is entered
// into one graph of the whole process, under one lock. That is for builds that look for mistakes.
void LeaveDeadlocksToDebugBuilds() {
#ifdef NDEBUG
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
#endif
}

void KeepFreedMemory() {
  ::mallopt(M_TRIM_THRESHOLD, kHeapTrim);
  ::mallopt(M_MMAP_THRESHOLD, kHeapMapping);
}

bool HasIpv6Loopback() {
  const net::Endpoint loopback = net::Endpoint::Parse("tcp://[::1]:0").value();
  const Fd probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe && ::bind(probe.get(), loopback.data(), loopback.size()) == 0;
}

// Where there is no IPv6, as in most containers, a process that was told nothing does without.
std::string DefaultListen(const std::string& listen) {
  if (HasIpv6Loopback()) return listen;
  std::vector<std::string> entries = absl::StrSplit(listen, ',');
  std::erase_if(entries, [](const auto& entry) { return absl::StrContains(entry, "[::1]"); });
  return absl::StrJoin(entries, ",");
}

constexpr char kHealthcheckUsage[] =
    "\nWith the argument `healthcheck`, and otherwise the settings of a process that runs: asks it "
    "whether it serves. The exit code is 0, or 1 with a line that says why not.\n";

// Whatever the grace: cancelled work ends, last answers are sent.
constexpr absl::Duration kStopsAfterGrace = absl::Seconds(10);

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

}  // namespace

absl::Status CheckBind(const net::Endpoint& endpoint, bool guarded, absl::string_view remedy) {
  if (endpoint.IsLoopback() || guarded || absl::GetFlag(FLAGS_allow_insecure_bind)) {
    return absl::OkStatus();
  }
  return Error(
      absl::StatusCode::kFailedPrecondition, "INSECURE_BIND",
      absl::StrCat(endpoint.ToUri(),
                   " is reachable from other machines and nothing here checks who asks; give a "
                   "loopback address, ",
                   remedy, remedy.empty() ? "" : ", ",
                   "or --allow_insecure_bind if the network keeps strangers out"));
}

Process::Process(int argc, char** argv, ProcessDefinition definition)
    : definition_(std::move(definition)) {
  LeaveDeadlocksToDebugBuilds();
  const sigset_t signals = StopSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();
  KeepFreedMemory();

  absl::SetFlag(&FLAGS_listen, DefaultListen(definition_.default_listen));
  absl::SetFlag(&FLAGS_rpc_listen, definition_.default_rpc_listen);
  absl::SetFlag(&FLAGS_http_listen, definition_.default_http_listen);
  const std::vector<std::string> arguments =
      ParseCommandLine(argc, argv, absl::StrCat(definition_.usage, kHealthcheckUsage));
  const bool healthcheck = arguments == std::vector<std::string>{"healthcheck"};
  if (!arguments.empty() && !healthcheck) {
    ExitWithUsageError(name(),
                       absl::StrCat("unexpected argument \"", arguments[0], "\"; see --help"));
  }
  const std::optional<LogFormat> format = ParseLogFormat(absl::GetFlag(FLAGS_log_format));
  if (!format) ExitWithUsageError(name(), "--log_format is one of auto, text, json");
  if (!StartLogging(absl::StrCat("rawgate-", name()), absl::GetFlag(FLAGS_log_level), *format)) {
    ExitWithUsageError(name(), "--log_level is one of trace, debug, info, warn, error, off");
  }
  rpc::TakeOverGrpcLog();
  ReadAddresses();
  if (healthcheck) std::exit(Healthcheck());
  if (absl::Status taken = systemd::TakeSockets(); !taken.ok()) std::exit(Fail(taken));
}

void Process::ReadAddresses() {
  auto listen = ParseListen(absl::GetFlag(FLAGS_listen));
  if (!listen.ok()) ExitWithUsageError(name(), listen.status().message());
  listen_ = *std::move(listen);
  if (const std::string rpc = absl::GetFlag(FLAGS_rpc_listen); !rpc.empty()) {
    auto endpoint = net::Endpoint::Parse(rpc);
    if (!endpoint.ok()) ExitWithUsageError(name(), endpoint.status().message());
    if (net::IsDatagram(endpoint->transport()) || endpoint->transport() == net::Transport::kTls) {
      ExitWithUsageError(name(), "--rpc_listen is a tcp:// or unix:// address; see --rpc_tls");
    }
    rpc_listen_ = *endpoint;
  }
}

absl::Duration Process::grace() const { return absl::GetFlag(FLAGS_grace); }

void Process::PrintReady(const std::string& rpc_uri,
                         const std::vector<std::pair<std::string, std::string>>& listeners) const {
  boost::json::object line;
  line["ready"] = name();
  line["pid"] = static_cast<int64_t>(::getpid());
  if (!rpc_uri.empty()) line["rpc"] = rpc_uri;
  boost::json::array rows;
  for (const auto& [listener, address] : listeners) {
    rows.push_back(boost::json::object{{"name", listener}, {"address", address}});
  }
  line["listeners"] = std::move(rows);
  std::printf("%s\n", boost::json::serialize(line).c_str());
  std::fflush(stdout);
  systemd::SayReady(absl::StrCat("Serving at ", listeners.size(), " addresses"));
}

int Process::Healthcheck() const {
  const bool is_service = !definition_.default_rpc_listen.empty();
  if (!is_service && listen_.empty()) ExitWithUsageError(name(), "--listen names no address");
  const absl::Status serving =
      is_service ? CheckServiceHealth(rpc_listen_) : CheckFrontDoorHealth(listen_[0].endpoint);
  return serving.ok() ? 0 : Fail(serving);
}

absl::Status Process::CheckSockets() const {
  const std::vector<std::string> unclaimed = net::UnclaimedInheritedSockets();
  if (unclaimed.empty()) return absl::OkStatus();
  return FieldError(
      "listen", "BAD_LISTEN",
      absl::StrCat("sockets were handed over that no listener is for: ",
                   absl::StrJoin(unclaimed, ", "), "; --listen needs the same addresses"));
}

void Process::WaitForStopSignal(const AskLoops& ask_loops) {
  const sigset_t signals = StopSignals();
  const int signal = AwaitSignal(signals, systemd::WatchdogTimeout(), ask_loops, systemd::SayAlive);
  spdlog::info("{}: draining for at most {}", ::strsignal(signal), absl::FormatDuration(grace()));
  systemd::SayStopping("Draining", grace() + kStopsAfterGrace);
  net::HandInheritedSocketsBack();
  // The default action of a second signal ends the process.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

int Process::Fail(const absl::Status& status) const {
  // Its peers wait for whoever is started in its place.
  net::HandInheritedSocketsBack();
  spdlog::error("{}", std::string(status.message()));
  return FieldOf(status).empty() ? 1 : kUsageError;
}

}  // namespace rawgate::host
