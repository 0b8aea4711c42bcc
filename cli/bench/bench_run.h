// One load, from what the command line asks for to what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/bench/load_plan.h"
#include "cli/bench/load_result.h"
#include "cli/command.h"
#include "cli/raw_address.h"

namespace rawgate::cli {

struct BenchOptions {
  // "echo", "time", "exec" or "file".
  std::string operation;
  // Through a raw listener, else by typed calls.
  bool raw = false;
  // Of the listener; without one the gateway is asked.
  std::string address;
  uint32_t connections = 8;
  uint32_t in_flight = 1;
  uint64_t size = 0;
  std::string command = "true";
  // Of file; both when neither is set.
  bool upload_only = false;
  bool download_only = false;
  // More than is good manners on another machine.
  bool insist = false;
  LoadPlan::Options plan;
};

// Requests at once and payload of them that no load has more of.
inline constexpr uint32_t kSlotsMax = 1024;
inline constexpr uint64_t kBytesInFlightMax = 256 << 20;

// Makes the load, or for file both. What was measured until `context.interrupt` was delivered is in
// the reports, too. Errors: INVALID_ARGUMENT (TOO_MUCH: over the limits above, or for another
// machine without `insist`), NOT_FOUND (NO_LISTENER), BAD_ADDRESS, those of calls that prepare it.
absl::StatusOr<std::vector<LoadReport>> RunBench(const BenchOptions& options, Context& context);

}  // namespace rawgate::cli
