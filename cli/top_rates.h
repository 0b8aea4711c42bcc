// How fast the totals of services, listeners and connections grow.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "cli/smooth_rate.h"

namespace rawgate::cli {

// What is counted of each.
struct TopTotals {
  uint64_t requests = 0;
  uint64_t errors = 0;
  uint64_t received = 0;
  uint64_t sent = 0;
};

// The same a second.
struct TopRates {
  // False before the second sample.
  bool known = false;
  double requests = 0;
  double errors = 0;
  double received = 0;
  double sent = 0;
};

// One thread. As many entries as there were in the last sample.
class TopRateBook {
 public:
  void Sample(const std::string& key, absl::Time now, const TopTotals& totals);
  // Forgets what had no sample at `now`.
  void EndSample(absl::Time now);

  TopRates Of(const std::string& key) const;

 private:
  struct Entry {
    absl::Time last;
    SmoothRate requests;
    SmoothRate errors;
    SmoothRate received;
    SmoothRate sent;
  };
  std::map<std::string, Entry> entries_;
};

}  // namespace rawgate::cli
