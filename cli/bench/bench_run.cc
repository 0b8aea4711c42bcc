#include "cli/bench/bench_run.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/bench/bench_target.h"
#include "cli/display_text.h"
#include "cli/doctor/gateway_checks.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// What is in progress at the end may take so long.
constexpr absl::Duration kPatience = absl::Seconds(5);

// A line on a terminal that says how far the load is.
class BenchProgress {
 public:
  BenchProgress(const Console& console, const BenchOptions& options, std::string phase)
      : console_(console),
        options_(options),
        phase_(std::move(phase)),
        shown_(console.ErrorIsTerminal()),
        begin_(LoadNow()) {}
  ~BenchProgress() {
    if (shown_) console_.Error("\r\x1b[K");
  }

  void Show(uint64_t done) const {
    if (!shown_) return;
    const double seconds = absl::ToDoubleSeconds(LoadNow() - begin_);
    std::string line = absl::StrFormat("\r\x1b[K%s  %.1fs", phase_, seconds);
    if (options_.plan.duration != absl::InfiniteDuration()) {
      absl::StrAppendFormat(&line, " of %gs",
                            absl::ToDoubleSeconds(options_.plan.duration + options_.plan.warmup));
    }
    absl::StrAppendFormat(&line, "  %u requests  %.0f/s", done,
                          static_cast<double>(done) / seconds);
    console_.Error(line);
  }

 private:
  const Console& console_;
  const BenchOptions& options_;
  const std::string phase_;
  const bool shown_;
  const absl::Time begin_;
};

LoadReport RunPhase(const BenchOptions& options, const std::string& phase,
                    const RawAddress& listener, const BenchFiles* files, Context& context) {
  const auto workers = MakeWorkers(options, phase, listener, files, context.gateway);
  LoadPlan plan(options.plan);
  std::atomic<bool> interrupted{context.interrupt.signal() != 0};
  const Interrupt::Scope ends(context.interrupt, [&interrupted] { interrupted = true; });
  const BenchProgress progress(context.console, options, phase);
  LoadReport report{.operation = phase,
                    .door = options.raw ? "raw" : "typed",
                    .address = options.raw ? listener.ToUri() : context.gateway.target(),
                    .connections = options.connections,
                    .in_flight = options.in_flight,
                    .size_bytes = options.size,
                    .rate = options.plan.rate};
  report.result = RunWorkers(workers, plan, kPatience, [&](uint64_t done) {
    progress.Show(done);
    return !interrupted;
  });
  report.duration = std::max(LoadNow() - plan.measured_from(), absl::ZeroDuration());
  return report;
}

std::vector<std::string> PhasesOf(const BenchOptions& options) {
  if (options.operation != "file") return {options.operation};
  if (options.upload_only) return {"upload"};
  if (options.download_only) return {"download"};
  return {"upload", "download"};
}

}  // namespace

absl::StatusOr<std::vector<LoadReport>> RunBench(const BenchOptions& options, Context& context) {
  Gateway& gateway = context.gateway;
  // A raw load of a known address needs no gateway; files are removed through it.
  if (options.address.empty() || options.operation == "file") {
    absl::Status ready = context.security_status;
    if (ready.ok()) ready = gateway.Connect();
    if (!ready.ok()) return ready;
  }
  RawAddress listener;
  const auto front = AddressOfTarget(gateway.target());
  bool here = front && front->is_loopback();
  if (options.raw) {
    absl::StatusOr<RawAddress> found = FindListener(options.operation, options.address, gateway);
    if (!found.ok()) return found.status();
    listener = *std::move(found);
    here = listener.is_loopback();
  }
  const std::string address = options.raw ? listener.ToUri() : gateway.target();
  if (absl::Status fit = CheckManners(options, address, here); !fit.ok()) return fit;

  std::unique_ptr<BenchFiles> files;
  // A signal does not end the program before they are removed.
  const Interrupt::Scope tidy(context.interrupt, [] {});
  if (options.operation == "file") {
    files = std::make_unique<BenchFiles>(
        gateway, options.connections * (options.raw ? 1 : options.in_flight));
  }
  std::vector<LoadReport> reports;
  absl::Status status;
  for (const std::string& phase : PhasesOf(options)) {
    if (context.interrupt.signal() != 0) break;
    if (phase == "download") status = files->Store(options.size, context.interrupt);
    if (!status.ok()) break;
    reports.push_back(RunPhase(options, phase, listener, files.get(), context));
  }
  if (files != nullptr) files->Remove(context.console);
  if (!status.ok()) return status;
  return reports;
}

}  // namespace rawgate::cli
