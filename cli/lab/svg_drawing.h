// A recording as a picture for slides: SVG, 16:9, without anything from outside.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "cli/lab/recording.h"
#include "cli/lab/text.h"

namespace rawgate::cli::lab {

// All scenes of `take`, side by side, below `title`. The same steps, labels and figures as
// DrawScene(); of a scene too long for the picture those in the middle are left out, which it says.
// Well-formed XML whatever the far side sent.
std::string DrawSvg(const Take& take, absl::string_view title, Language language,
                    absl::Span<const Text> texts);

}  // namespace rawgate::cli::lab
