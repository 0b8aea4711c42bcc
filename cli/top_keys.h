// What keys do in `rawgate top`.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "cli/terminal_keys.h"
#include "cli/top_choice.h"
#include "cli/top_data.h"

namespace rawgate::cli {

// What `key` changes in `choice`, and what it asks to be done. `layout` is that of the screen whose
// rows were arranged for `choice`. No I/O.
std::vector<TopAction> PressTopKey(const TerminalKey& key, const TopData& data,
                                   const TopLayout& layout, TopChoice& choice);

// How long requests in progress may go on after a stop; ControlService allows 10 minutes.
inline constexpr absl::Duration kTopGrace = absl::Seconds(5);

}  // namespace rawgate::cli
