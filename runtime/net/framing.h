// The i32 prefix of the raw protocols: a signed 32-bit little-endian size (Python's
// struct.pack('<i', n)). No I/O here. gRPC's own prefix is big-endian and never passes through this
// file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::net {

inline constexpr size_t kI32Size = 4;

std::array<char, kI32Size> EncodeI32(int32_t value);
// `bytes` points at kI32Size readable bytes.
int32_t DecodeI32(const char* bytes);

// Takes one "i32 size, then that many bytes" message out of a byte stream, however it is cut. Never
// holds more than `size_max` bytes and allocates only as bytes arrive, not from what the prefix
// claims.
class SizedMessageReader {
 public:
  // Sizes from `size_min` to `size_max` are allowed.
  SizedMessageReader(int32_t size_min, int32_t size_max) : min_(size_min), max_(size_max) {}

  // Consumes bytes from the front of `*input` until the message is complete. True when it is; false
  // when more input is needed,
  // `*input` then being empty. Error: INVALID_ARGUMENT (BAD_LENGTH), after which the reader must
  // not be used.
  absl::StatusOr<bool> Consume(absl::string_view* input);

  // Any byte of a message that is not complete has been consumed.
  bool in_progress() const { return prefix_filled_ > 0; }
  // The complete message; makes the reader ready for the next.
  std::string Take();

 private:
  const int32_t min_;
  const int32_t max_;
  std::array<char, kI32Size> prefix_{};
  size_t prefix_filled_ = 0;
  std::string body_;
};

}  // namespace rawgate::net
