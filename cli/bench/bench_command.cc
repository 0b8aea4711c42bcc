// rawgate bench.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/bench/bench_run.h"
#include "cli/bench/load_result.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr uint64_t kEchoSize = 64;
constexpr uint64_t kFileSize = 1 << 20;
// What the typed echo takes.
constexpr uint64_t kEchoSizeMax = 1 << 20;
constexpr absl::Duration kWarmup = absl::Seconds(1);
constexpr absl::Duration kDuration = absl::Seconds(10);

struct BenchWords {
  BenchOptions bench;
  OutputFormat format = OutputFormat::kText;
  bool has_duration = false;
  bool has_warmup = false;
  bool has_size = false;
};

// What was left open.
BenchOptions Complete(const BenchWords& words) {
  BenchOptions options = words.bench;
  options.raw = options.raw || !options.address.empty();
  const bool counted = options.plan.requests != UINT64_MAX;
  if (!words.has_duration && !counted) options.plan.duration = kDuration;
  if (!words.has_warmup) options.plan.warmup = counted ? absl::ZeroDuration() : kWarmup;
  if (options.operation == "time" || options.operation == "exec") {
    options.size = 0;
  } else if (!words.has_size) {
    options.size = options.operation == "file" ? kFileSize : kEchoSize;
  }
  return options;
}

absl::StatusOr<int> Bench(const BenchWords& words, Context& context) {
  const BenchOptions options = Complete(words);
  const auto reports = RunBench(options, context);
  if (!reports.ok()) {
    const std::string reason = ReasonOf(reports.status());
    if (reason != "TOO_MUCH" && reason != "BAD_ADDRESS") return reports.status();
    context.Tell({.command = "bench", .status = reports.status()});
    return kExitUsage;
  }
  std::string text;
  uint64_t answered = 0;
  for (const LoadReport& report : *reports) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", LoadText(report, context.console.Columns()));
    answered += report.result.requests();
  }
  if (words.format == OutputFormat::kJson) text = LoadJson(*reports);
  const absl::Status written = context.console.Out(text);
  if (!written.ok()) return written;
  if (context.interrupt.signal() != 0) return absl::CancelledError("interrupted");
  return answered > 0 ? 0 : kExitFailure;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate bench echo                     typed calls, 10 s, 8 connections
  rawgate bench echo --raw               the same at the raw listener
  rawgate bench echo --raw -c 2 --in-flight 16 --size 1024
  rawgate bench time --rate 5000         as many a second, however late
  rawgate bench exec --command 'echo hi' -c 4 -d 30s
  rawgate bench file --size 4194304 -n 100
  rawgate bench time --address udp://lab.example:9000 --rate 100

Latencies are from the moment that a request was to start until its answer is
there as a whole. Without --rate each starts when the one before has ended.
With --rate each has its time, and what had to wait counts as long as it
waited, so that a pause of the far side is seen in all requests that fell into
it; a load that the far side cannot keep up with has ever longer latencies.

exec runs --command each time. file uploads, then downloads, under names of its
own, which are removed at the end, after Ctrl-C too. Ctrl-C shows what was
measured so far. After an error a connection pauses for 10 to 100 ms.

Exit codes: 0 done, 1 nothing was answered, 2 wrong usage or too much.
JSON: {"runs": [{"operation", "door", "address", "connections", "inFlight",
"sizeBytes", "rate", "duration", "requests", "requestsPerSecond", "bytesSent",
"bytesReceived", "errors": {REASON: COUNT}, "latency": {"min", "mean", "p50",
"p90", "p99", "p999", "max"}}]}, with times such as "0.000312s". It is no
table, so there is no --plain.)";

void AddLoadOptions(CLI::App& bench, BenchWords& words) {
  BenchOptions& options = words.bench;
  bench.add_option("-c,--connections", options.connections, "Connections (8)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  bench.add_option("--in-flight", options.in_flight, "Requests at once on each connection (1)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  AddDurationOption(
      bench, "-d,--duration",
      [&words](absl::Duration duration) {
        words.bench.plan.duration = duration;
        words.has_duration = true;
      },
      "How long to measure (10s, unless -n)", absl::Milliseconds(10), absl::Hours(24));
  bench.add_option("-n,--requests", options.plan.requests, "End after so many requests")
      ->type_name("N")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 40));
  AddDurationOption(
      bench, "--warmup",
      [&words](absl::Duration warmup) {
        words.bench.plan.warmup = warmup;
        words.has_warmup = true;
      },
      "Not measured, before that (1s; 0 with -n)", absl::ZeroDuration(), absl::Hours(1));
  bench.add_option("--rate", options.plan.rate, "Requests a second, over all connections")
      ->type_name("N")
      ->check(CLI::Range(0.001, 1e7));
  bench
      .add_option_function<uint64_t>(
          "--size",
          [&words](uint64_t size) {
            words.bench.size = size;
            words.has_size = true;
          },
          "Bytes of each (echo: 64, file: 1 MiB)")
      ->type_name("BYTES")
      ->check(CLI::Range(uint64_t{1}, kBytesInFlightMax));
}

}  // namespace

void AddBenchCommand(CLI::App& app, Command& chosen) {
  const auto words = std::make_shared<BenchWords>();
  CLI::App* bench = app.add_subcommand("bench", "Measure how fast a service answers");
  bench->group(kToolsGroup)->footer(kExamples);
  bench->add_option("SERVICE", words->bench.operation, "echo, time, exec or file")
      ->required()
      ->check(CLI::IsMember({"echo", "time", "exec", "file"}));
  bench->add_flag("--raw", words->bench.raw, "At its raw listener, not by typed calls");
  bench
      ->add_option("--address", words->bench.address,
                   "Of the raw listener, such as tcp://[::1]:8080;\nelse the gateway is asked")
      ->type_name("ADDRESS");
  AddLoadOptions(*bench, *words);
  bench->add_option("--command", words->bench.command, "Of exec (true)")->type_name("COMMAND");
  CLI::Option* upload = bench->add_flag("--upload", words->bench.upload_only, "Of file: only this");
  bench->add_flag("--download", words->bench.download_only, "Of file: only this")->excludes(upload);
  bench->add_flag("--yes", words->bench.insist,
                  "Load another machine with more than 8 requests\nat once, 1000 a second, or a "
                  "minute");
  AddJsonFormat(*bench, words->format, "the figures");
  bench->callback([&chosen, words] {
    const BenchOptions& options = words->bench;
    if (options.operation == "echo" && options.size > kEchoSizeMax)
      throw CLI::ValidationError("--size", "echo takes at most 1 MiB");
    if (absl::StrContains(options.command, '\n'))
      throw CLI::ValidationError("--command", "a newline would end it");
    chosen.awaits_gateway = false;
    chosen.run = [words](Context& context) { return Bench(*words, context); };
  });
}

}  // namespace rawgate::cli
