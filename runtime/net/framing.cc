#include "runtime/net/framing.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::net {

std::array<char, kI32Size> EncodeI32(int32_t value) {
  const auto bits = static_cast<uint32_t>(value);
  std::array<char, kI32Size> bytes;
  for (size_t i = 0; i < kI32Size; ++i) bytes[i] = static_cast<char>(bits >> (8 * i) & 0xff);
  return bytes;
}

int32_t DecodeI32(const char* bytes) {
  uint32_t bits = 0;
  for (size_t i = 0; i < kI32Size; ++i) {
    bits |= static_cast<uint32_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return static_cast<int32_t>(bits);
}

absl::StatusOr<bool> SizedMessageReader::Consume(absl::string_view* input) {
  if (prefix_filled_ < kI32Size) {
    const size_t taken = std::min(kI32Size - prefix_filled_, input->size());
    std::copy_n(input->data(), taken, prefix_.data() + prefix_filled_);
    prefix_filled_ += taken;
    input->remove_prefix(taken);
    if (prefix_filled_ < kI32Size) return false;
    const int32_t size = DecodeI32(prefix_.data());
    if (size < min_ || size > max_) {
      return Error(absl::StatusCode::kInvalidArgument, "BAD_LENGTH",
                   absl::StrCat("a length of ", size, " is not between ", min_, " and ", max_));
    }
  }
  const auto size = static_cast<size_t>(DecodeI32(prefix_.data()));
  const size_t taken = std::min(size - body_.size(), input->size());
  body_.append(input->data(), taken);
  input->remove_prefix(taken);
  return body_.size() == size;
}

std::string SizedMessageReader::Take() {
  prefix_filled_ = 0;
  return std::exchange(body_, {});
}

}  // namespace rawgate::net
