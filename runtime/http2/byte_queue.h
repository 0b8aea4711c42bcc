// Bytes on their way from one stream to another: added at the end, taken from the front.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace rawgate::http2 {

// Has no bound of its own: flow control is what bounds it.
class ByteQueue {
 public:
  bool empty() const { return begin_ == bytes_.size(); }
  size_t size() const { return bytes_.size() - begin_; }

  void Append(absl::string_view bytes) {
    // Moved to the front only when that is less than what has been taken: each byte once at most.
    if (begin_ > 0 && begin_ >= size()) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
    bytes_.append(bytes.data(), bytes.size());
  }

  // The first bytes, until the next call of anything else.
  absl::string_view Front(size_t most) const {
    return absl::string_view(bytes_).substr(begin_, most);
  }
  void RemoveFront(size_t count) {
    begin_ += std::min(count, size());
    if (!empty()) return;
    // What was large once need not be again.
    if (bytes_.capacity() > kKeptBytes) bytes_ = std::string();
    bytes_.clear();
    begin_ = 0;
  }

 private:
  static constexpr size_t kKeptBytes = 4 << 10;

  std::string bytes_;
  size_t begin_ = 0;
};

}  // namespace rawgate::http2
