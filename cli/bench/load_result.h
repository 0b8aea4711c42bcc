// What came of a load.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/bench/latency_histogram.h"

namespace rawgate::cli {

// One thread at a time.
struct LoadResult {
  // One that was answered well, in so long.
  void AddSuccess(absl::Duration latency, uint64_t sent, uint64_t received);
  // By its reason; of the thirty-third kind on all are "OTHER".
  void AddError(const absl::Status& status);
  void Merge(const LoadResult& other);

  uint64_t requests() const { return latencies.count(); }
  uint64_t errors() const;

  LatencyHistogram latencies;
  // Payload, of those that were answered well.
  uint64_t bytes_sent = 0;
  uint64_t bytes_received = 0;
  std::map<std::string, uint64_t> errors_by_reason;
  // The message of the first.
  std::string first_error;
};

// A load as it was asked for, and what came of it.
struct LoadReport {
  // "echo", "time", "exec", "upload" or "download".
  std::string operation = {};
  // "raw" or "typed".
  std::string door = {};
  std::string address = {};
  uint32_t connections = 0;
  uint32_t in_flight = 0;
  uint64_t size_bytes = 0;
  // 0: a closed loop.
  double rate = 0;
  // That was measured.
  absl::Duration duration = absl::ZeroDuration();
  LoadResult result = {};
};

// Some lines for people; with bars for the latencies when `columns` is not 0.
std::string LoadText(const LoadReport& report, int columns);

// One object of the page {"runs":[...]}; see docs/cli.md.
std::string LoadJson(const std::vector<LoadReport>& reports);

}  // namespace rawgate::cli
