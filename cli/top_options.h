// What the command line of `rawgate top` asks for, and its two ways to show it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/command.h"
#include "cli/output_format.h"
#include "cli/top_choice.h"

namespace rawgate::cli {

struct TopOptions {
  absl::Duration interval = absl::Seconds(1);
  // Of services.
  TopOrder order;
  TopView view = TopView::kServices;
  // Snapshots are printed, one after another, instead of a screen that changes.
  bool batch = false;
  // How many; 0: no end.
  uint64_t count = 0;
  OutputFormat format = OutputFormat::kText;
};

// A screen that changes until somebody has had enough: at a terminal that input and output are.
absl::StatusOr<int> RunTopScreen(const TopOptions& options, Context& context);

// The first snapshot comes after one interval, since rates need two samples. While the gateway is
// away none comes, which standard error is told.
absl::StatusOr<int> RunTopBatch(const TopOptions& options, Context& context);

}  // namespace rawgate::cli
