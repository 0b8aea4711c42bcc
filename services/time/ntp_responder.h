// What an NTP server of this machine's clock says of itself (RFC 5905 section 9), stateless: no
// associations, nothing kept of any client. It is honest: unless the kernel says that its clock is
// synchronised, so do the answers not, and they never claim a reference clock (stratum 1).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/base/clock.h"
#include "services/time/kernel_clock.h"
#include "services/time/ntp_packet.h"
#include "services/time/time_core.h"

namespace rawgate::timesvc {

struct NtpOptions {
  // What a synchronised clock's answers claim: whatever disciplines it does not tell the kernel.
  // From 2 to 15.
  uint8_t stratum = 10;
  // log2 of seconds, such as MeasurePrecision() has it.
  int8_t precision = -20;
  // Asked at most once a second.
  std::function<KernelClockState()> kernel_clock = ReadKernelClock;
};

// log2 of the shortest time in seconds, rounded up, that `clock` can tell from none. Reads it until
// it moves: at once, or some milliseconds where it is coarse.
int8_t MeasurePrecision(Clock& clock);

// Loop thread.
class NtpResponder {
 public:
  // Longest answer.
  static constexpr size_t kReplyMax = kNtpHeaderSize + 4;

  // `core` outlives this object; its test clock's NtpOverride goes before everything here.
  NtpResponder(TimeCore& core, NtpOptions options) : core_(core), options_(std::move(options)) {}

  // Answers a request that the machine's clock stamped `received`. Writes the answer, if it fits,
  // into `out`, and returns its size, 0 if it does not. No larger than the request.
  size_t Answer(const NtpRequest& request, absl::Time received, std::span<char> out);
  // The same with a Kiss-o'-Death packet (section 7.4), of one to four characters.
  size_t Kiss(const NtpRequest& request, absl::Time received, absl::string_view code,
              std::span<char> out);

 private:
  // What the kernel said at the last reading of it, which is not older than a second at `now`.
  const KernelClockState& KernelClock(absl::Time now);
  // The test clock's; nothing when it is not set or not there.
  NtpOverride Override() const;
  // Completes `reply` and writes it, with the transmit timestamp last of all.
  size_t Send(const NtpRequest& request, absl::Time received, const NtpOverride& ntp,
              NtpReply reply, std::span<char> out);

  TimeCore& core_;
  const NtpOptions options_;
  KernelClockState kernel_clock_;
  // By the machine's clock.
  absl::Time kernel_clock_read_ = absl::InfinitePast();
};

}  // namespace rawgate::timesvc
