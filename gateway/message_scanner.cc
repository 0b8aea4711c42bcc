#include "gateway/message_scanner.h"

#include <algorithm>

namespace rawgate::gateway {

MessageScanner::Result MessageScanner::Take(absl::string_view bytes) {
  while (!bytes.empty() && result_ == Result::kOk) {
    if (missing_ > 0) {
      const size_t count = std::min(missing_, bytes.size());
      bytes.remove_prefix(count);
      missing_ -= count;
      if (missing_ == 0) ++whole_;
      continue;
    }
    prefix_[prefix_size_++] = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (prefix_size_ == kPrefixBytes) result_ = OnPrefix();
  }
  return result_;
}

MessageScanner::Result MessageScanner::OnPrefix() {
  prefix_size_ = 0;
  missing_ = static_cast<size_t>(prefix_[1]) << 24 | static_cast<size_t>(prefix_[2]) << 16 |
             static_cast<size_t>(prefix_[3]) << 8 | prefix_[4];
  ++begun_;
  if (prefix_[0] != 0) return Result::kCompressed;
  if (missing_ > most_) return Result::kTooLarge;
  if (missing_ == 0) ++whole_;
  return Result::kOk;
}

}  // namespace rawgate::gateway
