// Where gRPC's messages begin and end in the bytes of one direction of a call, without holding any
// of them: each is a flag (1: compressed), its length in four bytes, and so many bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace rawgate::gateway {

// Pure.
class MessageScanner {
 public:
  enum class Result {
    kOk,
    // A flag other than 0; kTooLarge: longer than `most`. Told as soon as the length is there, for
    // the first such message; what comes after it is not looked at.
    kCompressed,
    kTooLarge,
  };

  explicit MessageScanner(size_t most) : most_(most) {}

  Result Take(absl::string_view bytes);

  // That have begun, which is when their length is known; and that are whole.
  uint64_t begun() const { return begun_; }
  uint64_t whole() const { return whole_; }
  // Nothing is missing of the last one.
  bool at_boundary() const { return prefix_size_ == 0 && missing_ == 0; }

 private:
  static constexpr size_t kPrefixBytes = 5;

  Result OnPrefix();

  const size_t most_;
  std::array<uint8_t, kPrefixBytes> prefix_{};
  size_t prefix_size_ = 0;
  // Of the message whose prefix has been read.
  size_t missing_ = 0;
  uint64_t begun_ = 0;
  uint64_t whole_ = 0;
  Result result_ = Result::kOk;
};

}  // namespace rawgate::gateway
