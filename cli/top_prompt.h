// The questions that `rawgate top` asks before it does something, and the filter.
#pragma once

#include <vector>

#include "cli/screen_line.h"
#include "cli/terminal_keys.h"
#include "cli/top_choice.h"

namespace rawgate::cli {

// The filter of the view is typed from now on, and counts at once.
void BeginTopFilter(TopChoice& choice);

// While there is a question: Enter is yes, or the end of the filter; Escape and Ctrl-D are no. What
// is to be done then, if anything.
std::vector<TopAction> PressInTopPrompt(const TerminalKey& key, TopChoice& choice);

// The question and what is typed.
ScreenLine TopPromptLine(const TopChoice& choice, int width);

}  // namespace rawgate::cli
