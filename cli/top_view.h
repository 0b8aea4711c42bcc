// `rawgate top` as lines.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/screen_line.h"
#include "cli/top_choice.h"
#include "cli/top_data.h"

namespace rawgate::cli {

// What does not change while it runs.
struct TopSetting {
  // Where the gateway is.
  std::string target;
  absl::Duration interval;
};

// The lines of a screen of this layout, at most its height and each at most its width, for a choice
// that was arranged with `items`. No I/O.
std::vector<ScreenLine> DrawTop(const TopSetting& setting, const TopData& data,
                                const std::vector<TopItem>& items, const TopLayout& layout,
                                const TopChoice& choice);

}  // namespace rawgate::cli
