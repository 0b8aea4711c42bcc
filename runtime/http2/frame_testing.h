// For tests: HTTP/2 frames as they are on the wire (RFC 9113, section 4.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace rawgate::http2 {

inline constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum FrameType : int {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoaway = 7,
  kWindowUpdate = 8,
  kContinuation = 9,
};
inline constexpr int kAck = 1;
inline constexpr int kEndStream = 1;
inline constexpr int kEndHeaders = 4;

// Big-endian.
inline std::string Number(uint32_t number, int bytes = 4) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    text += static_cast<char>(number >> shift & 0xff);
  return text;
}

inline std::string Frame(int type, int flags, uint32_t stream, const std::string& payload = "") {
  return Number(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + Number(stream) + payload;
}

// Each a literal field without indexing, with a new name (RFC 7541, section 6.2.2). Names and
// values are shorter than 127 bytes.
inline std::string HeaderBlock(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += static_cast<char>(name.size()) + name;
    block += static_cast<char>(value.size()) + value;
  }
  return block;
}

inline std::string RequestBlock() {
  return HeaderBlock(
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/x"}, {":authority", "x"}});
}

}  // namespace rawgate::http2
