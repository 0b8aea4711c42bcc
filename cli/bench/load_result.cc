#include "cli/bench/load_result.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <boost/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;

constexpr size_t kReasonsMax = 32;
constexpr char kOther[] = "OTHER";

struct Quantile {
  const char* name;
  double percent;
};
constexpr std::array<Quantile, 4> kQuantiles = {
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p999", 99.9}}};

// Columns of a bar of the histogram at least and at most.
constexpr int kBarMin = 10;
constexpr int kBarMax = 60;
constexpr int kLabelColumns = 22;

// Whole where that is exact enough: Boost.JSON has exponents for all others.
json::value Number(double value) {
  const double rounded = std::round(value);
  if (value == rounded || value >= 100) return static_cast<int64_t>(rounded);
  return value;
}

double PerSecond(double count, absl::Duration duration) {
  const double seconds = absl::ToDoubleSeconds(duration);
  return seconds > 0 ? count / seconds : 0;
}

// "312us", "1.25ms": three digits, which HumanDuration() has not.
std::string Short(absl::Duration duration) {
  const double microseconds = absl::ToDoubleMicroseconds(duration);
  if (microseconds < 1e3) return absl::StrFormat("%.3gus", microseconds);
  if (microseconds < 1e6) return absl::StrFormat("%.3gms", microseconds / 1e3);
  return absl::StrFormat("%.3gs", microseconds / 1e6);
}

std::string JsonDuration(absl::Duration duration) {
  return absl::StrFormat("%.9fs", absl::ToDoubleSeconds(duration));
}

std::string Bars(const LatencyHistogram& latencies, int columns) {
  const auto octaves = latencies.Octaves();
  uint64_t most = 1;
  for (const auto& octave : octaves) most = std::max(most, octave.count);
  const int width = std::clamp(columns - kLabelColumns, kBarMin, kBarMax);
  std::string text = "\n";
  for (const auto& octave : octaves) {
    const double share = static_cast<double>(octave.count) / static_cast<double>(most);
    const auto bar = static_cast<size_t>(share * width + (octave.count > 0 ? 0.999 : 0));
    absl::StrAppendFormat(
        &text, "  %7s ..  %5.1f%% %s\n", Short(octave.from),
        100.0 * static_cast<double>(octave.count) / static_cast<double>(latencies.count()),
        std::string(std::min(bar, static_cast<size_t>(width)), '#'));
  }
  return text;
}

std::string Latencies(const LatencyHistogram& latencies) {
  return absl::StrCat("  latency    p50 ", Short(latencies.Percentile(50)), "  p90 ",
                      Short(latencies.Percentile(90)), "  p99 ", Short(latencies.Percentile(99)),
                      "  p99.9 ", Short(latencies.Percentile(99.9)), "  max ",
                      Short(latencies.max()), "\n");
}

json::object RunJson(const LoadReport& report) {
  const LoadResult& result = report.result;
  json::object latency = {{"min", JsonDuration(result.latencies.min())},
                          {"mean", JsonDuration(result.latencies.mean())}};
  for (const Quantile& quantile : kQuantiles) {
    latency[quantile.name] = JsonDuration(result.latencies.Percentile(quantile.percent));
  }
  latency["max"] = JsonDuration(result.latencies.max());
  json::object errors;
  for (const auto& [reason, count] : result.errors_by_reason) errors[reason] = count;
  return {{"operation", report.operation},
          {"door", report.door},
          {"address", report.address},
          {"connections", report.connections},
          {"inFlight", report.in_flight},
          {"sizeBytes", report.size_bytes},
          {"rate", Number(report.rate)},
          {"duration", JsonDuration(report.duration)},
          {"requests", result.requests()},
          {"requestsPerSecond",
           Number(PerSecond(static_cast<double>(result.requests()), report.duration))},
          {"bytesSent", result.bytes_sent},
          {"bytesReceived", result.bytes_received},
          {"errors", std::move(errors)},
          {"latency", std::move(latency)}};
}

}  // namespace

void LoadResult::AddSuccess(absl::Duration latency, uint64_t sent, uint64_t received) {
  latencies.Add(latency);
  bytes_sent += sent;
  bytes_received += received;
}

void LoadResult::AddError(const absl::Status& status) {
  std::string reason = ReasonOf(status);
  if (errors_by_reason.count(reason) == 0 && errors_by_reason.size() >= kReasonsMax)
    reason = kOther;
  ++errors_by_reason[reason];
  if (first_error.empty()) first_error = std::string(status.message());
}

void LoadResult::Merge(const LoadResult& other) {
  latencies.Merge(other.latencies);
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  for (const auto& [reason, count] : other.errors_by_reason) {
    const bool full = errors_by_reason.count(reason) == 0 && errors_by_reason.size() >= kReasonsMax;
    errors_by_reason[full ? kOther : reason] += count;
  }
  if (first_error.empty()) first_error = other.first_error;
}

uint64_t LoadResult::errors() const {
  uint64_t all = 0;
  for (const auto& [reason, count] : errors_by_reason) all += count;
  return all;
}

std::string LoadText(const LoadReport& report, int columns) {
  const LoadResult& result = report.result;
  std::string text = absl::StrCat(
      report.operation, ", ", report.door, ", ", Printable(report.address), ": ",
      Counted(report.connections, "connection"), " with ", report.in_flight, " in flight, ",
      report.size_bytes > 0 ? absl::StrCat(HumanSize(report.size_bytes), ", ") : "",
      report.rate > 0 ? absl::StrFormat("%.6g/s asked for, ", report.rate) : "",
      absl::StrFormat("%.3gs\n", absl::ToDoubleSeconds(report.duration)));
  absl::StrAppendFormat(&text, "  requests   %u, %.0f/s\n", result.requests(),
                        PerSecond(static_cast<double>(result.requests()), report.duration));
  const auto rate = [&](uint64_t bytes) {
    return HumanSize(static_cast<uint64_t>(PerSecond(static_cast<double>(bytes), report.duration)));
  };
  absl::StrAppend(&text, "  payload    ", rate(result.bytes_sent), "/s sent, ",
                  rate(result.bytes_received), "/s received\n");
  if (result.requests() > 0) text += Latencies(result.latencies);
  absl::StrAppend(&text, "  errors     ", result.errors());
  const char* before = ": ";
  for (const auto& [reason, count] : result.errors_by_reason) {
    absl::StrAppend(&text, before, Printable(reason), " ", count);
    before = ", ";
  }
  text += "\n";
  if (!result.first_error.empty()) {
    absl::StrAppend(&text, "             such as: ", Printable(result.first_error), "\n");
  }
  if (columns > 0 && result.requests() > 0) text += Bars(result.latencies, columns);
  return text;
}

std::string LoadJson(const std::vector<LoadReport>& reports) {
  json::array runs;
  for (const LoadReport& report : reports) runs.push_back(RunJson(report));
  return JsonLine(json::object{{"runs", std::move(runs)}});
}

}  // namespace rawgate::cli
