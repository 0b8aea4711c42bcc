#include "cli/transfer_progress.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

constexpr absl::Duration kRedrawInterval = absl::Milliseconds(200);
constexpr absl::string_view kClearLine = "\r\x1b[K";
constexpr int kNameColumns = 24;

// The end of a long name says more than its beginning.
std::string Shortened(absl::string_view name) {
  std::string shown = Printable(name);
  if (DisplayWidth(shown) <= kNameColumns) return shown;
  absl::string_view rest = shown;
  while (DisplayWidth(rest) > kNameColumns - 3) rest.remove_prefix(CharacterLength(rest));
  return absl::StrCat("...", rest);
}

}  // namespace

TransferProgress::TransferProgress(const Console& console, std::string name, uint64_t total)
    : console_(console), name_(std::move(name)), total_(total), shown_(console.ErrorIsTerminal()) {}

TransferProgress::~TransferProgress() {
  if (drawn_ != start_) console_.Error(kClearLine);
}

void TransferProgress::Advance(uint64_t bytes) {
  done_ += bytes;
  if (!shown_) return;
  const absl::Time now = absl::Now();
  if (now - drawn_ < kRedrawInterval) return;
  drawn_ = now;
  console_.Error(absl::StrCat(kClearLine, ProgressLine(name_, done_, total_, now - start_)));
}

std::string ProgressLine(absl::string_view name, uint64_t done, uint64_t total,
                         absl::Duration elapsed) {
  const double seconds = std::max(absl::ToDoubleSeconds(elapsed), 1e-3);
  const double rate = static_cast<double>(done) / seconds;
  const int percent =
      total == 0 ? 100
                 : static_cast<int>(100.0 * static_cast<double>(done) / static_cast<double>(total));
  std::string line =
      absl::StrFormat("%s  %3d%%  %s of %s  %s/s", Shortened(name), percent, HumanSize(done),
                      HumanSize(total), HumanSize(static_cast<uint64_t>(rate)));
  if (rate >= 1 && done < total) {
    const double left = std::ceil(static_cast<double>(total - done) / rate);
    absl::StrAppend(&line, "  ",
                    left < 60 ? absl::StrCat(left, "s") : HumanDuration(absl::Seconds(left)),
                    " left");
  }
  return line;
}

}  // namespace rawgate::cli
