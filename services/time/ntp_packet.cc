#include "services/time/ntp_packet.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <boost/endian/conversion.hpp>

namespace rawgate::timesvc {
namespace {

// From 1900-01-01 to 1970-01-01: 70 years with 17 leap days.
constexpr int64_t kUnixEpochInNtp = (70 * 365 + 17) * int64_t{86'400};
constexpr uint64_t kNanosecondsPerSecond = 1'000'000'000;

constexpr uint8_t kModeUndefined = 0;
constexpr uint8_t kModeClient = 3;
constexpr uint8_t kModeServer = 4;

// MD5, or truncated to as much (RFC 8573), and SHA-1, each behind a 4-byte key identifier.
constexpr size_t kMacSizes[] = {20, 24};
constexpr size_t kMacSizeMax = 24;
constexpr size_t kCryptoNakSize = 4;
constexpr size_t kExtensionFieldSizeMin = 16;

// Offsets into the header.
constexpr size_t kPollAt = 2;
constexpr size_t kTransmitAt = 40;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool IsMacSize(size_t size) {
  return std::find(std::begin(kMacSizes), std::end(kMacSizes), size) != std::end(kMacSizes);
}

// Whether extension fields, of whole words and none too small, and perhaps a MAC are all there is.
// What is no larger than a MAC is one: the last field is at least 28 bytes long where none follows
// (RFC 7822 section 7.5.1.4).
std::optional<bool> FindMac(absl::string_view trailer, uint8_t version) {
  if (version == kNtpVersionMax) {
    while (trailer.size() > kMacSizeMax) {
      const size_t size = boost::endian::load_big_u16(Bytes(trailer) + sizeof(uint16_t));
      if (size < kExtensionFieldSizeMin || size % 4 != 0 || size > trailer.size()) {
        return std::nullopt;
      }
      trailer.remove_prefix(size);
    }
  }
  if (trailer.empty()) return false;
  if (IsMacSize(trailer.size())) return true;
  return std::nullopt;
}

// The format of delays and dispersions: 2^-16 s, rounded up, since they are bounds.
uint32_t ToNtpShort(absl::Duration duration) {
  constexpr double kMax = 0xffff'ffff;
  const double units = std::ceil(absl::ToDoubleSeconds(duration) * 65'536);
  return static_cast<uint32_t>(std::clamp(units, 0.0, kMax));
}

}  // namespace

NtpTimestamp ToNtpTimestamp(absl::Time time) {
  const int64_t unix_seconds = absl::ToUnixSeconds(time);
  const auto nanoseconds =
      static_cast<uint64_t>((time - absl::FromUnixSeconds(unix_seconds)) / absl::Nanoseconds(1));
  const auto seconds = static_cast<uint64_t>(unix_seconds + kUnixEpochInNtp);
  return seconds << 32 | (nanoseconds << 32) / kNanosecondsPerSecond;
}

absl::Time FromNtpTimestamp(NtpTimestamp timestamp, absl::Time near) {
  const int64_t near_seconds = absl::ToUnixSeconds(near) + kUnixEpochInNtp;
  // The distance to `near` as a 32-bit number wraps just as the timestamps do.
  const auto distance = static_cast<int32_t>(static_cast<uint32_t>(timestamp >> 32) -
                                             static_cast<uint32_t>(near_seconds));
  const uint64_t fraction = timestamp & 0xffff'ffff;
  return absl::FromUnixSeconds(near_seconds + distance - kUnixEpochInNtp) +
         absl::Nanoseconds(static_cast<int64_t>(fraction * kNanosecondsPerSecond >> 32));
}

std::optional<NtpRequest> ParseNtpRequest(absl::string_view bytes) {
  if (bytes.size() < kNtpHeaderSize) return std::nullopt;
  const auto first = static_cast<uint8_t>(bytes[0]);
  const uint8_t mode = first & 7;
  NtpRequest request;
  request.version = first >> 3 & 7;
  if (request.version < kNtpVersionMin || request.version > kNtpVersionMax) return std::nullopt;
  request.mode_by_port = mode == kModeUndefined && request.version == 1;
  if (mode != kModeClient && !request.mode_by_port) return std::nullopt;
  const std::optional<bool> has_mac = FindMac(bytes.substr(kNtpHeaderSize), request.version);
  if (!has_mac.has_value()) return std::nullopt;
  request.has_mac = *has_mac;
  request.poll = static_cast<int8_t>(bytes[kPollAt]);
  request.transmit = boost::endian::load_big_u64(Bytes(bytes) + kTransmitAt);
  return request;
}

size_t SerializeNtpReply(const NtpReply& reply, std::span<char> out) {
  const size_t size = kNtpHeaderSize + (reply.crypto_nak ? kCryptoNakSize : 0);
  if (out.size() < size) return 0;
  auto* const bytes = reinterpret_cast<unsigned char*>(out.data());
  bytes[0] = static_cast<uint8_t>(static_cast<unsigned>(reply.leap) << 6 |
                                  (reply.version & 7u) << 3 | kModeServer);
  bytes[1] = reply.stratum;
  bytes[kPollAt] = static_cast<uint8_t>(reply.poll);
  bytes[3] = static_cast<uint8_t>(reply.precision);
  boost::endian::store_big_u32(bytes + 4, ToNtpShort(reply.root_delay));
  boost::endian::store_big_u32(bytes + 8, ToNtpShort(reply.root_dispersion));
  std::copy(reply.reference_id.begin(), reply.reference_id.end(), out.begin() + 12);
  boost::endian::store_big_u64(bytes + 16, reply.reference);
  boost::endian::store_big_u64(bytes + 24, reply.origin);
  boost::endian::store_big_u64(bytes + 32, reply.receive);
  boost::endian::store_big_u64(bytes + kTransmitAt, reply.transmit);
  std::fill_n(out.begin() + kNtpHeaderSize, size - kNtpHeaderSize, '\0');
  return size;
}

}  // namespace rawgate::timesvc
