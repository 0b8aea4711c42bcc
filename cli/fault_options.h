// The options of `rawgate fault set`, as faults.
#pragma once

#include <functional>
#include <vector>

#include "CLI/CLI.hpp"
#include "rawgate/control/v1/fault.pb.h"

namespace rawgate::cli {

// What was asked for, to be put into faults: those of both ways, or of the one that --received or
// --sent names, and of streams and datagrams alike.
struct FaultOptions {
  bool received = false;
  bool sent = false;
  // Each of one option, in the order of the help.
  using Change = std::function<void(control::v1::Faults& faults, bool received)>;
  std::vector<Change> changes;
  uint64_t seed = 0;
  uint32_t fail_first = 0;

  // Puts it all into `faults`. What only streams, or only datagrams, have is left out of the other
  // kind; times and rates are for both.
  void Apply(control::v1::Faults& faults) const;
};

// `options` outlives `app`.
void AddFaultOptions(CLI::App& app, FaultOptions& options);

// From 0 to 1, of "0.1" or "10%". Throws CLI::ValidationError, which names `option`.
double ParseProbability(const std::string& option, const std::string& text);

}  // namespace rawgate::cli
