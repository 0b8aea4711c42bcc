// The packets of NTP (RFC 5905 section 7.3, versions 1 to 4) as a server sees them: bytes to
// requests, answers to bytes. Without I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/time/clock_setting.h"

namespace rawgate::timesvc {

// Seconds since 1900-01-01 00:00:00 UTC in the upper 32 bits, modulo 2^32 (the next era begins on
// 2036-02-07 06:28:16 UTC), and fractions of 2^-32 s in the lower.
using NtpTimestamp = uint64_t;

// Rounded down to a fraction.
NtpTimestamp ToNtpTimestamp(absl::Time time);
// In the era that brings it within 68 years of `near`.
absl::Time FromNtpTimestamp(NtpTimestamp timestamp, absl::Time near);

inline constexpr int kNtpVersionMin = 1;
inline constexpr int kNtpVersionMax = 4;
// Without extension fields and MAC.
inline constexpr size_t kNtpHeaderSize = 48;
inline constexpr uint16_t kNtpPort = 123;

// What a server looks at.
struct NtpRequest {
  uint8_t version = kNtpVersionMax;
  // The mode is 0, as in version 1 (RFC 1059), where the ports say who is the client: it is one
  // unless its port is 123.
  bool mode_by_port = false;
  // Behind the header and extension fields is a message authentication code.
  bool has_mac = false;
  int8_t poll = 0;
  NtpTimestamp transmit = 0;
};

// A client's request, mode 3, or mode 0 in version 1; nullopt for all else: other modes, so that no
// answer is ever answered and nobody can ask for control messages (modes 6 and 7); other versions;
// and what is behind the header and neither extension fields (RFC 7822) nor a MAC of 20 or 24
// bytes.
std::optional<NtpRequest> ParseNtpRequest(absl::string_view bytes);

// A server's answer, mode 4.
struct NtpReply {
  LeapIndicator leap = LeapIndicator::kUnsynchronized;
  uint8_t version = kNtpVersionMax;
  uint8_t stratum = 0;
  int8_t poll = 0;
  // log2 of seconds.
  int8_t precision = 0;
  // From zero to 65,535 s; cut there.
  absl::Duration root_delay = absl::ZeroDuration();
  absl::Duration root_dispersion = absl::ZeroDuration();
  // A kiss code while `stratum` is 0, otherwise an address or a name.
  std::array<char, 4> reference_id = {};
  NtpTimestamp reference = 0;
  NtpTimestamp origin = 0;
  NtpTimestamp receive = 0;
  NtpTimestamp transmit = 0;
  // Ends with four zero bytes, the "crypto-NAK" of section 9.2: the request's MAC was not verified.
  bool crypto_nak = false;
};

// Writes it and returns its size: kNtpHeaderSize, and 4 more with the crypto-NAK; 0 when it does
// not fit.
size_t SerializeNtpReply(const NtpReply& reply, std::span<char> out);

}  // namespace rawgate::timesvc
