#include "cli/bench/bench_target.h"

#include <random>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "cli/bench/raw_protocol.h"
#include "cli/bench/raw_worker.h"
#include "cli/bench/typed_workers.h"
#include "cli/display_text.h"
#include "cli/doctor/gateway_checks.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;
using file::v1::FileService;

// Without an answer for so long a request has failed; datagrams may be lost.
constexpr absl::Duration kStreamPatience = absl::Seconds(30);
constexpr absl::Duration kDatagramPatience = absl::Seconds(1);

// What may be done to another machine without asking twice.
constexpr uint32_t kForeignSlots = 8;
constexpr double kForeignRate = 1000;
constexpr absl::Duration kForeignDuration = absl::Minutes(1);

constexpr int kRemovals = 50;
constexpr absl::Duration kRemovalPause = absl::Milliseconds(100);

// Listeners that speak what the workers do, by the beginning of their names.
struct Listening {
  absl::string_view name;
  absl::string_view scheme;
};

Listening ListeningOf(const std::string& operation) {
  if (operation == "time") return {"udp", "udp"};
  if (operation == "exec") return {"sized", "tcp"};
  return {"tcp", "tcp"};
}

std::unique_ptr<RawProtocol> ProtocolOf(const BenchOptions& options, const std::string& phase,
                                        const BenchFiles* files, size_t worker) {
  if (phase == "time") return TimeProtocol();
  if (phase == "exec") return ExecProtocol(options.command);
  if (phase == "upload") return UploadProtocol(files->name(worker), options.size);
  if (phase == "download") return DownloadProtocol(files->name(worker));
  return EchoProtocol(options.size);
}

std::unique_ptr<LoadWorker> CallerOf(const BenchOptions& options, const std::string& phase,
                                     const BenchFiles* files, size_t worker,
                                     const LoadChannel& channel) {
  if (phase == "time") return MakeTimeCaller(channel);
  if (phase == "exec") return MakeExecCaller(channel, options.command);
  if (phase == "upload") return MakeUploadCaller(channel, files->name(worker), options.size);
  if (phase == "download") return MakeDownloadCaller(channel, files->name(worker));
  return MakeEchoCaller(channel, options.size);
}

}  // namespace

absl::StatusOr<RawAddress> FindListener(const std::string& operation, const std::string& given,
                                        const Gateway& gateway) {
  const Listening wanted = ListeningOf(operation);
  if (!given.empty()) {
    absl::StatusOr<RawAddress> address = ParseRawAddress(given);
    if (!address.ok()) return address;
    if (address->kind == RawAddress::Kind::kTls ||
        address->is_datagram() != (operation == "time")) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_ADDRESS",
                   absl::StrCat("bench ", operation, " speaks to ", wanted.scheme,
                                ":// addresses, of its listener '", wanted.name, "'"));
    }
    return address;
  }
  const auto services =
      Call(*gateway.Stub<ControlService>(), &ControlService::Stub::ListServices, {});
  if (!services.ok()) return services.status();
  for (const auto& service : services->services()) {
    if (service.name() != operation) continue;
    for (const auto& listener : service.listeners()) {
      if (!absl::StartsWith(listener.name(), wanted.name) ||
          listener.state() != control::v1::SERVICE_STATE_RUNNING)
        continue;
      auto address = ParseRawAddress(listener.bound_address());
      if (!address.ok() || !absl::StartsWith(listener.bound_address(), wanted.scheme)) continue;
      const auto host = AddressOfTarget(gateway.target());
      if (address->is_any()) address->host = host && !host->is_unix() ? host->host : "127.0.0.1";
      return address;
    }
  }
  return Error(absl::StatusCode::kNotFound, "NO_LISTENER",
               absl::StrCat(operation, " has no listener '", wanted.name, "' at ", wanted.scheme,
                            ":// that runs; --address names one"));
}

absl::Status CheckManners(const BenchOptions& options, const std::string& address, bool here) {
  const auto too_much = [](absl::string_view what) {
    return Error(absl::StatusCode::kInvalidArgument, "TOO_MUCH", what);
  };
  const uint64_t slots = uint64_t{options.connections} * options.in_flight;
  if ((!options.raw && slots > kSlotsMax) || options.connections > kSlotsMax) {
    return too_much(absl::StrCat("more than ", kSlotsMax, " requests at once"));
  }
  if (slots * options.size > kBytesInFlightMax) {
    return too_much(
        absl::StrCat("more than ", HumanSize(kBytesInFlightMax), " of requests at once"));
  }
  if (here || options.insist) return absl::OkStatus();
  if (slots > kForeignSlots || options.plan.rate > kForeignRate ||
      options.plan.duration > kForeignDuration) {
    return too_much(absl::StrCat(address, " is another machine: more than ", kForeignSlots,
                                 " requests at once, ", kForeignRate,
                                 " a second, or a minute, take --yes"));
  }
  return absl::OkStatus();
}

BenchFiles::BenchFiles(const Gateway& gateway, uint32_t count)
    : gateway_(gateway), folder_(absl::StrFormat("rawgate-bench-%08x", std::random_device()())) {
  for (uint32_t i = 0; i < count; ++i) names_.push_back(absl::StrCat(folder_, "/", i));
}

absl::Status BenchFiles::TryRemove() const {
  const auto stub = gateway_.Stub<FileService>();
  std::vector<std::string> names = names_;
  names.push_back(folder_);
  for (const std::string& name : names) {
    file::v1::DeleteFileRequest request;
    request.set_filename(name);
    const auto removed = Call(*stub, &FileService::Stub::DeleteFile, request);
    if (!removed.ok() && ReasonOf(removed.status()) != "FILE_NOT_FOUND") return removed.status();
  }
  return absl::OkStatus();
}

void BenchFiles::Remove(const Console& console) {
  absl::Status removed = TryRemove();
  // An upload that was cancelled may have been past that.
  for (int i = 0; i < kRemovals && ReasonOf(removed) == "FOLDER_NOT_EMPTY"; ++i) {
    absl::SleepFor(kRemovalPause);
    removed = TryRemove();
  }
  if (removed.ok()) return;
  console.Error(absl::StrCat("rawgate bench: ", folder_,
                             " is left behind: ", Printable(removed.message()), "\n"));
}

absl::Status BenchFiles::Store(size_t size, const Interrupt& interrupt) {
  for (const std::string& name : names_) {
    if (interrupt.signal() != 0) return absl::CancelledError("interrupted");
    const auto caller = MakeUploadCaller(gateway_.channel(), name, size);
    LoadPlan plan({.requests = 1});
    plan.Begin(LoadNow());
    LoadResult result;
    std::atomic<uint64_t> done{0};
    caller->Run(plan, result, done);
    if (result.errors() == 0) continue;
    return Error(absl::StatusCode::kUnavailable, result.errors_by_reason.begin()->first,
                 absl::StrCat("storing ", name, ": ", result.first_error));
  }
  return absl::OkStatus();
}

std::vector<std::unique_ptr<LoadWorker>> MakeWorkers(const BenchOptions& options,
                                                     const std::string& phase,
                                                     const RawAddress& listener,
                                                     const BenchFiles* files,
                                                     const Gateway& gateway) {
  std::vector<std::unique_ptr<LoadWorker>> workers;
  for (uint32_t i = 0; i < options.connections; ++i) {
    if (options.raw) {
      workers.push_back(MakeRawWorker(
          listener, ProtocolOf(options, phase, files, workers.size()), options.in_flight,
          listener.is_datagram() ? kDatagramPatience : kStreamPatience));
      continue;
    }
    const LoadChannel channel = gateway.OpenAnother();
    for (uint32_t j = 0; j < options.in_flight; ++j) {
      workers.push_back(CallerOf(options, phase, files, workers.size(), channel));
    }
  }
  return workers;
}

}  // namespace rawgate::cli
