#include "runtime/net/stream_fault_path.h"

#include <algorithm>

namespace rawgate::net {
namespace {

constexpr Nanoseconds kSecond = 1'000'000'000;
// Pieces that wait for their time: each costs more than its bytes.
constexpr size_t kDelayedMax = 1'024;
// A slow link carries so much at a time that it is busy for this part of a second; who comes so
// much too late for the next piece has lost nothing.
constexpr uint64_t kPiecesPerSecond = 50;
constexpr Nanoseconds kPieceTime = kSecond / kPiecesPerSecond;

Nanoseconds TimeOnLink(uint64_t bytes, uint64_t bytes_per_second) {
  return static_cast<Nanoseconds>(bytes * kSecond / bytes_per_second);
}

}  // namespace

size_t StreamFaultPath::Room(size_t limit) {
  full_ = held_ >= limit || delayed_.size() >= kDelayedMax;
  return full_ ? 0 : limit - held_;
}

void StreamFaultPath::Append(absl::string_view bytes) {
  if (ready_begin_ > 0 && ready_begin_ >= ready_.size() / 2) {
    ready_.erase(0, ready_begin_);
    ready_begin_ = 0;
  }
  ready_.append(bytes.data(), bytes.size());
}

void StreamFaultPath::Push(absl::string_view bytes, Nanoseconds now) {
  Nanoseconds due = now + faults_.delay;
  if (faults_.jitter > 0) {
    due += static_cast<Nanoseconds>(random_.UpTo(static_cast<uint64_t>(faults_.jitter)));
  }
  // Order is kept.
  last_due_ = std::max(last_due_, due);
  held_ += bytes.size();
  delayed_.push_back({last_due_, std::string(bytes)});
  Mature(now);
}

void StreamFaultPath::Finish(End end, Nanoseconds now) {
  end_ = end;
  end_due_ = std::max(last_due_, now + faults_.delay);
}

void StreamFaultPath::Mature(Nanoseconds now) {
  while (!delayed_.empty() && delayed_.front().due <= now) {
    Append(delayed_.front().bytes);
    ready_at_ = delayed_.front().due;
    delayed_.pop_front();
  }
}

StreamFaultPath::Step StreamFaultPath::NextEnd(Nanoseconds now) const {
  using Kind = Step::Kind;
  if (!delayed_.empty()) return {.kind = Kind::kWait, .at = delayed_.front().due};
  if (end_ == End::kNone) return {.kind = Kind::kWait};
  if (now < end_due_) return {.kind = Kind::kWait, .at = end_due_};
  return {.kind = end_ == End::kFin ? Kind::kFin : Kind::kReset};
}

size_t StreamFaultPath::Mergeable(Nanoseconds now, Nanoseconds* at) {
  if (faults_.merge_bytes == 0) return ready_size();
  if (merged_ > 0) return merged_;
  const bool all_came = delayed_.empty() && end_ != End::kNone;
  if (ready_size() >= faults_.merge_bytes || full_ || all_came || now - ready_at_ >= kMergeWait) {
    merged_ = ready_size();
    return merged_;
  }
  *at = ready_at_ + kMergeWait;
  if (!delayed_.empty()) *at = std::min(*at, delayed_.front().due);
  return 0;
}

StreamFaultPath::Step StreamFaultPath::Next(Nanoseconds now) {
  using Kind = Step::Kind;
  Mature(now);
  const uint64_t cut = faults_.cut_after_bytes;
  if (cut != 0 && passed_ >= cut) return {.kind = Kind::kCut};
  if (ready_size() == 0) return NextEnd(now);
  Nanoseconds at = kNever;
  size_t size = Mergeable(now, &at);
  if (size == 0) return {.kind = Kind::kWait, .at = at};
  const uint64_t rate = faults_.bytes_per_second;
  if (rate != 0) {
    if (now < link_free_at_) return {.kind = Kind::kWait, .at = link_free_at_};
    // What is to arrive as one piece does.
    if (faults_.merge_bytes == 0) {
      size = std::min<uint64_t>(size, std::max<uint64_t>(1, rate / kPiecesPerSecond));
    }
  }
  if (faults_.split_bytes != 0) {
    if (now < next_piece_at_) return {.kind = Kind::kWait, .at = next_piece_at_};
    size = std::min<size_t>(size, faults_.split_bytes);
  }
  if (cut != 0) size = std::min<uint64_t>(size, cut - passed_);
  return {.kind = Kind::kBytes, .bytes = absl::string_view(ready_).substr(ready_begin_, size)};
}

void StreamFaultPath::Passed(size_t size, Nanoseconds now) {
  ready_begin_ += size;
  held_ -= size;
  passed_ += size;
  merged_ -= std::min(merged_, size);
  next_piece_at_ = now + piece_interval_;
  if (faults_.bytes_per_second != 0) {
    link_free_at_ =
        std::max(link_free_at_, now - kPieceTime) + TimeOnLink(size, faults_.bytes_per_second);
  }
  if (ready_begin_ == ready_.size()) {
    ready_begin_ = 0;
    ready_.clear();
  }
}

void StreamFaultPath::Release() {
  faults_ = {};
  for (const Delayed& piece : delayed_) Append(piece.bytes);
  delayed_.clear();
  last_due_ = INT64_MIN;
  end_due_ = INT64_MIN;
  merged_ = 0;
}

}  // namespace rawgate::net
