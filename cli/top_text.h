// The longer texts of `rawgate top`.
#pragma once

#include <vector>

#include "cli/screen_line.h"
#include "cli/top_data.h"
#include "cli/top_list.h"

namespace rawgate::cli {

// What keys and columns mean.
std::vector<ScreenLine> TopHelp();

// All that is known of a service, a listener or a connection. Lines may be of any width.
std::vector<ScreenLine> TopDetails(const TopData& data, const TopItem& item);

}  // namespace rawgate::cli
