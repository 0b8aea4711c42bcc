#include "cli/progress_line.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

constexpr absl::string_view kGap = "  ";
constexpr int kNameColumnsMin = 8;
// Beyond this a time left is no forecast.
constexpr double kSecondsLeftMax = 100 * 3600.0;

std::string TimeLeft(const ProgressState& state) {
  if (state.rate < 1 || state.done >= state.total) return "";
  const double left = std::ceil(static_cast<double>(state.total - state.done) / state.rate);
  if (left > kSecondsLeftMax) return "";
  // Whole seconds: a tenth of one would flicker.
  return absl::StrCat(
      left < 60 ? absl::StrCat(static_cast<int>(left), "s") : HumanDuration(absl::Seconds(left)),
      " left");
}

}  // namespace

int Percent(uint64_t part, uint64_t whole) {
  if (part >= whole) return 100;
  return std::min(99,
                  static_cast<int>(100.0 * static_cast<double>(part) / static_cast<double>(whole)));
}

std::string ProgressLine(const ProgressState& state, int columns) {
  enum { kName, kPercent, kBytes, kRate, kLeft, kResumed, kSegments };
  std::array<std::string, kSegments> wanted;
  if (state.files > 1) {
    wanted[kName] = absl::StrCat(state.files_done, " of ", state.files, " files");
  }
  wanted[kPercent] = absl::StrFormat("%3d%%", Percent(state.done, state.total));
  wanted[kBytes] = absl::StrFormat("%9s of %s", HumanSize(state.done), HumanSize(state.total));
  wanted[kRate] = absl::StrFormat("%9s/s", HumanSize(static_cast<uint64_t>(state.rate)));
  wanted[kLeft] = TimeLeft(state);
  if (state.resumed > 0) {
    wanted[kResumed] = absl::StrCat("resumed at ", Percent(state.resumed, state.total), "%");
  }

  std::array<std::string, kSegments> shown;
  // Each segment brings a gap along, the first in vain.
  int left = columns + static_cast<int>(kGap.size());
  const auto fit = [&](int segment) {
    const int width = DisplayWidth(wanted[segment]) + static_cast<int>(kGap.size());
    if (wanted[segment].empty() || width > left) return;
    left -= width;
    shown[segment] = wanted[segment];
  };
  for (const int segment : {kPercent, kBytes, kRate, kLeft, kName, kResumed}) fit(segment);
  const int for_name = left - static_cast<int>(kGap.size());
  if (state.files <= 1 && !state.name.empty() && for_name >= kNameColumnsMin) {
    shown[kName] = ShortenedFront(state.name, for_name);
  }
  const auto end = std::remove(shown.begin(), shown.end(), "");
  return absl::StrJoin(shown.begin(), end, kGap);
}

}  // namespace rawgate::cli
