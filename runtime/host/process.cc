#include "runtime/host/process.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

#include <boost/json.hpp>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/host/flags.h"
#include "runtime/rpc/grpc_log.h"

namespace rawgate::host {
namespace {

constexpr int kUsageError = 2;

// What malloc keeps of freed memory at the end of each arena. glibc's own 128 KiB is less than one
// message of a stream: each gave its pages back, and the next one had the kernel clear new ones.
constexpr int kHeapTrim = 4 << 20;
// From this size on an allocation is a mapping of its own, which goes when it is freed. Without it
// the threshold would follow the largest mapping freed so far.
constexpr int kHeapMapping = 1 << 20;

// A flag's file as the tree names it, whatever path the compiler was given.
std::string InTree(absl::string_view filename) {
  for (const absl::string_view root : {"runtime/", "services/", "gateway/"}) {
    const size_t begin = filename.rfind(root);
    if (begin != absl::string_view::npos) return std::string(filename.substr(begin));
  }
  return std::string(filename);
}

bool IsOurs(absl::string_view filename) { return !absl::StrContains(filename, "absl/"); }

// Where flags come from, weakest first. Abseil lets a later setting of a flag replace an earlier
// one, so laying the sources one after another makes the precedence.
struct FlagSources {
  std::vector<std::string> flag_files;
  std::vector<std::string> environment;
  std::vector<std::string> typed;
};

std::string VariableOf(absl::string_view flag) {
  return absl::StrCat("RAWGATE_", absl::AsciiStrToUpper(flag));
}

FlagSources CollectFlags(int argc, char** argv) {
  FlagSources sources;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    const bool is_file =
        absl::StartsWith(argument, "--flagfile=") || absl::StartsWith(argument, "-flagfile=");
    (is_file ? sources.flag_files : sources.typed).emplace_back(argument);
  }
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    const char* value = IsOurs(flag->Filename()) ? std::getenv(VariableOf(name).c_str()) : nullptr;
    if (value != nullptr) sources.environment.push_back(absl::StrCat("--", name, "=", value));
  }
  return sources;
}

// For --help, which tells values and defaults: where the values that are no defaults came from.
std::string DescribeSources(const FlagSources& sources) {
  std::string text =
      "\nEvery flag is also an environment variable, --listen as RAWGATE_LISTEN. A flag that is "
      "typed outdoes the "
      "environment, which outdoes --flagfile=FILE.\n";
  for (const std::string& setting : sources.flag_files) {
    absl::StrAppend(&text, "  from a flag file:        ", setting, "\n");
  }
  for (const std::string& setting : sources.environment) {
    absl::StrAppend(&text, "  from the environment:    ", setting, "\n");
  }
  for (const std::string& setting : sources.typed) {
    if (!absl::StartsWith(setting, "--help"))
      absl::StrAppend(&text, "  from the command line:   ", setting, "\n");
  }
  return text;
}

[[noreturn]] void ExitWithUsageError(const std::string& program, absl::string_view message) {
  std::fprintf(stderr, "rawgate-%s: %s\n", program.c_str(), std::string(message).c_str());
  std::exit(kUsageError);
}

// Abseil ends the process with 1 for bad flags and for --help alike. What users expect is 2 and 0.
bool g_parsing_flags = false;
void CorrectExitStatus(int status, void* help_was_asked) {
  if (!g_parsing_flags || status != 1) return;
  std::fflush(stdout);
  ::_exit(help_was_asked != nullptr ? 0 : kUsageError);
}

// Returns the program's name and what is no flag.
std::vector<char*> ParseFlags(char* program, const FlagSources& sources) {
  static std::vector<std::string> arguments;
  arguments = {program};
  bool help = false;
  for (const auto* layer : {&sources.flag_files, &sources.environment, &sources.typed}) {
    arguments.insert(arguments.end(), layer->begin(), layer->end());
    for (const std::string& argument : *layer) help |= absl::StartsWith(argument, "--help");
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  ::on_exit(CorrectExitStatus, help ? program : nullptr);
  g_parsing_flags = true;
  std::vector<char*> rest =
      absl::ParseCommandLine(static_cast<int>(pointers.size()), pointers.data());
  g_parsing_flags = false;
  return rest;
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

  const FlagSources sources = CollectFlags(argc, argv);
  absl::SetProgramUsageMessage(absl::StrCat(definition_.usage, DescribeSources(sources)));
  absl::FlagsUsageConfig usage;
  usage.contains_help_flags = IsOurs;
  usage.contains_helpshort_flags = IsOurs;
  usage.normalize_filename = InTree;
  absl::SetFlagsUsageConfig(usage);
  absl::SetFlag(&FLAGS_listen, definition_.default_listen);
  absl::SetFlag(&FLAGS_rpc_listen, definition_.default_rpc_listen);
  absl::SetFlag(&FLAGS_http_listen, definition_.default_http_listen);
  const std::vector<char*> rest = ParseFlags(argv[0], sources);
  if (rest.size() > 1) {
    ExitWithUsageError(name(), absl::StrCat("unexpected argument \"", rest[1], "\"; see --help"));
  }
  const std::optional<LogFormat> format = ParseLogFormat(absl::GetFlag(FLAGS_log_format));
  if (!format) ExitWithUsageError(name(), "--log_format is one of auto, text, json");
  if (!StartLogging(absl::StrCat("rawgate-", name()), absl::GetFlag(FLAGS_log_level), *format)) {
    ExitWithUsageError(name(), "--log_level is one of trace, debug, info, warn, error, off");
  }
  rpc::TakeOverGrpcLog();
  ReadAddresses();
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
}

void Process::WaitForStopSignal() {
  const sigset_t signals = StopSignals();
  int signal = 0;
  ::sigwait(&signals, &signal);
  spdlog::info("{}: draining for at most {}", ::strsignal(signal), absl::FormatDuration(grace()));
  // The default action of a second signal ends the process.
  ::pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

int Process::Fail(const absl::Status& status) const {
  spdlog::error("{}", std::string(status.message()));
  return FieldOf(status).empty() ? 1 : kUsageError;
}

}  // namespace rawgate::host
