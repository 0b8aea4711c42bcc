#include "cli/transfer_progress.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace rawgate::cli {
namespace {

constexpr absl::Duration kRedrawInterval = absl::Milliseconds(200);
constexpr absl::string_view kClearLine = "\r\x1b[K";
constexpr int kDefaultColumns = 80;

}  // namespace

TransferProgress::File::File(TransferProgress& progress, uint64_t planned)
    : progress_(progress), size_(planned) {}

TransferProgress::File::~File() {
  progress_.total_ -= size_ - position_;
  ++progress_.files_done_;
}

void TransferProgress::File::SetSize(uint64_t size) {
  progress_.total_ += size - size_;
  size_ = size;
}

void TransferProgress::File::ResumeAt(uint64_t position) {
  progress_.resumed_ += position - resumed_;
  resumed_ = position;
  MoveTo(position);
}

void TransferProgress::File::MoveTo(uint64_t position) {
  position = std::min(position, size_);
  // Unsigned arithmetic wraps round, so that this takes away what has to be moved again.
  progress_.done_ += position - position_;
  position_ = position;
}

TransferProgress::TransferProgress(const Console& console, bool quiet, uint64_t files,
                                   uint64_t bytes, std::string name)
    : console_(console),
      quiet_(quiet),
      shown_(!quiet && console.ErrorIsTerminal()),
      name_(std::move(name)),
      files_(files),
      total_(bytes) {
  {
    const absl::MutexLock lock(&mutex_);
    rate_.Sample(absl::Now(), 0);
  }
  if (shown_) drawer_ = std::jthread([this] { DrawUntilDone(); });
}

TransferProgress::~TransferProgress() {
  finished_.Notify();
  if (drawer_.joinable()) drawer_.join();
  const absl::MutexLock lock(&mutex_);
  if (!line_.empty()) console_.Error(kClearLine);
}

void TransferProgress::DrawUntilDone() {
  while (!finished_.WaitForNotificationWithTimeout(kRedrawInterval)) {
    const absl::MutexLock lock(&mutex_);
    Draw();
  }
}

void TransferProgress::Draw() {
  const uint64_t done = done_;
  const uint64_t resumed = resumed_;
  rate_.Sample(absl::Now(), done - resumed);
  const ProgressState state{name_, files_done_, files_, done, total_, resumed, rate_.PerSecond()};
  const int columns = console_.ErrorColumns();
  // A character in the last column would make some terminals begin another line.
  line_ = ProgressLine(state, (columns > 0 ? columns : kDefaultColumns) - 1);
  console_.Error(absl::StrCat(kClearLine, line_));
}

template <typename Write>
void TransferProgress::Above(bool to_terminal, Write write) {
  const absl::MutexLock lock(&mutex_);
  const bool redraws = to_terminal && !line_.empty();
  if (redraws) console_.Error(kClearLine);
  write();
  if (redraws) console_.Error(line_);
}

absl::Status TransferProgress::Print(absl::string_view lines) {
  absl::Status written;
  Above(console_.OutputIsTerminal(), [&] { written = console_.Out(lines); });
  return written;
}

void TransferProgress::Tell(absl::string_view lines) {
  Above(/*to_terminal=*/true, [&] { console_.Error(lines); });
}

void TransferProgress::Note(absl::string_view lines) {
  if (!quiet_) Tell(lines);
}

}  // namespace rawgate::cli
