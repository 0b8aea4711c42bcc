// How far a transfer is, on one line of a terminal that is written over.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/console.h"

namespace rawgate::cli {

// Silent unless standard error is a terminal.
class TransferProgress {
 public:
  // `total` bytes are to come.
  TransferProgress(const Console& console, std::string name, uint64_t total);
  // Clears the line.
  ~TransferProgress();
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  // `bytes` more have passed.
  void Advance(uint64_t bytes);

 private:
  const Console& console_;
  const std::string name_;
  const uint64_t total_;
  const bool shown_;
  const absl::Time start_ = absl::Now();
  absl::Time drawn_ = start_;
  uint64_t done_ = 0;
};

// "notes.bin   45%   11.7 MiB of 26.0 MiB   85.3 MiB/s   1s left", at most 79 columns.
std::string ProgressLine(absl::string_view name, uint64_t done, uint64_t total,
                         absl::Duration elapsed);

}  // namespace rawgate::cli
