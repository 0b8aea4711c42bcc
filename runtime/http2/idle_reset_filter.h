// RST_STREAM of a stream that was never begun, taken out of what a client sends; and frames counted
// that nghttp2 says nothing of.
//
// gRPC's C core sends it when a call is cancelled after it was given a number and before its
// headers were written. It is an error for which RFC 9113, section 5.1, lets a server end the
// connection, and nghttp2 does: with all the other calls on it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace rawgate::http2 {

// Of one connection, from its client's preface on. Looks at the nine bytes that begin each frame,
// and holds back no others (RFC 9113, section 4.1).
class IdleResetFilter {
 public:
  // Gives `pass` what remains, in order and piece by piece. How many frames were worth nothing:
  // those that are taken out, and those of types that nobody knows.
  template <typename Pass>
  size_t Take(absl::string_view bytes, Pass pass) {
    size_t idle = 0;
    size_t passed = 0;
    size_t at = 0;
    const auto pass_until = [&](size_t end) {
      if (end > passed) pass(bytes.substr(passed, end - passed));
      passed = end;
    };
    while (at < bytes.size()) {
      if (missing_ > 0) {
        const size_t count = std::min(missing_, bytes.size() - at);
        missing_ -= count;
        at += count;
        if (dropping_) passed = at;
        continue;
      }
      // A head that came in one piece stays where it is.
      const size_t begin = at;
      const bool split = head_size_ > 0 || bytes.size() - at < kHeadBytes;
      while (head_size_ < kHeadBytes && at < bytes.size())
        head_[head_size_++] = static_cast<uint8_t>(bytes[at++]);
      if (split) {
        pass_until(begin);
        passed = at;
      }
      if (head_size_ < kHeadBytes) break;
      OnHead();
      if (dropping_ || head_[3] > kContinuation) ++idle;
      if (dropping_) {
        pass_until(split ? passed : begin);
        passed = at;
      } else if (split) {
        pass(absl::string_view(reinterpret_cast<const char*>(head_.data()), kHeadBytes));
      }
    }
    pass_until(at);
    return idle;
  }

 private:
  static constexpr size_t kHeadBytes = 9;
  static constexpr size_t kPrefaceBytes = 24;
  static constexpr size_t kResetBytes = 4;
  static constexpr uint8_t kHeaders = 1;
  static constexpr uint8_t kReset = 3;
  // The last of RFC 9113.
  static constexpr uint8_t kContinuation = 9;

  void OnHead() {
    head_size_ = 0;
    missing_ = static_cast<size_t>(head_[0]) << 16 | static_cast<size_t>(head_[1]) << 8 | head_[2];
    const uint32_t stream = (static_cast<uint32_t>(head_[5]) & 0x7f) << 24 |
                            static_cast<uint32_t>(head_[6]) << 16 |
                            static_cast<uint32_t>(head_[7]) << 8 | head_[8];
    if (head_[3] == kHeaders) begun_ = std::max(begun_, stream);
    dropping_ = head_[3] == kReset && missing_ == kResetBytes && stream % 2 == 1 && stream > begun_;
  }

  std::array<uint8_t, kHeadBytes> head_{};
  size_t head_size_ = 0;
  // Of the preface, or of the frame whose head has been read.
  size_t missing_ = kPrefaceBytes;
  bool dropping_ = false;
  // The last stream that was.
  uint32_t begun_ = 0;
};

}  // namespace rawgate::http2
