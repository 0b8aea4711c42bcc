#include "services/time/ntp_responder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace rawgate::timesvc {
namespace {

constexpr absl::Duration kKernelClockAge = absl::Seconds(1);
// Of a clock that the test clock declares synchronised, when the kernel's is not.
constexpr absl::Duration kClaimedDispersion = absl::Milliseconds(1);
// 16 means unsynchronised (section 7.3).
constexpr uint32_t kSynchronizedStratumMax = 15;
constexpr std::array<char, 4> kNotYetSynchronized = {'I', 'N', 'I', 'T'};
// A reference clock of an unnamed kind, and a source on this machine (a loopback address, which no
// client takes for its own).
constexpr std::array<char, 4> kLocalReference = {'L', 'O', 'C', 'L'};
constexpr std::array<char, 4> kLocalSource = {127, 127, 1, 1};

std::array<char, 4> ReferenceId(uint32_t stratum) {
  if (stratum == 0) return kNotYetSynchronized;
  return stratum == 1 ? kLocalReference : kLocalSource;
}

LeapIndicator LeapOf(const KernelClockState& clock) {
  if (clock.leap_insert) return LeapIndicator::kLastMinute61;
  return clock.leap_delete ? LeapIndicator::kLastMinute59 : LeapIndicator::kNoWarning;
}

void MakeKiss(absl::string_view code, NtpReply& reply) {
  reply.leap = LeapIndicator::kUnsynchronized;
  reply.stratum = 0;
  reply.root_dispersion = absl::ZeroDuration();
  reply.reference = 0;
  reply.reference_id = {};
  std::copy_n(code.begin(), std::min(code.size(), reply.reference_id.size()),
              reply.reference_id.begin());
}

void Apply(const NtpOverride& ntp, absl::Time now, NtpReply& reply) {
  const bool claims_synchronized =
      (ntp.leap.has_value() && *ntp.leap != LeapIndicator::kUnsynchronized) ||
      (ntp.stratum.has_value() && *ntp.stratum >= 1 && *ntp.stratum <= kSynchronizedStratumMax);
  if (claims_synchronized) {
    reply.root_dispersion = kClaimedDispersion;
    reply.reference = ToNtpTimestamp(now);
  }
  if (ntp.stratum.has_value()) {
    reply.stratum = static_cast<uint8_t>(*ntp.stratum);
    reply.reference_id = ReferenceId(*ntp.stratum);
  }
  if (!ntp.kiss_code.empty()) MakeKiss(ntp.kiss_code, reply);
  if (ntp.leap.has_value()) reply.leap = *ntp.leap;
  if (ntp.root_dispersion.has_value()) reply.root_dispersion = *ntp.root_dispersion;
}

}  // namespace

int8_t MeasurePrecision(Clock& clock) {
  // Some milliseconds' worth; no kernel's clock stands still for longer than a tick of 10 ms.
  constexpr int kReadingsMax = 100'000;
  constexpr double kTick = 0.01;
  constexpr int kSteps = 100;
  double least = kTick;
  int steps = 0;
  absl::Time last = clock.Now();
  for (int i = 0; i < kReadingsMax && steps < kSteps; ++i) {
    const absl::Time now = clock.Now();
    if (now > last) {
      least = std::min(least, absl::ToDoubleSeconds(now - last));
      ++steps;
    }
    last = now;
  }
  return static_cast<int8_t>(std::ceil(std::log2(least)));
}

size_t NtpResponder::Answer(const NtpRequest& request, absl::Time received, std::span<char> out) {
  const KernelClockState& clock = KernelClock(received);
  NtpReply reply;
  reply.reference_id = kNotYetSynchronized;
  reply.root_dispersion = clock.max_error;
  if (clock.synchronization == ClockSynchronization::kSynchronized) {
    reply.leap = LeapOf(clock);
    reply.stratum = options_.stratum;
    reply.reference_id = ReferenceId(options_.stratum);
    // The machine's clock may have been set back a little since it was read.
    reply.reference = ToNtpTimestamp(core_.At(std::min(kernel_clock_read_, received)));
  }
  reply.crypto_nak = request.has_mac;
  return Send(request, received, Override(), reply, out);
}

size_t NtpResponder::Kiss(const NtpRequest& request, absl::Time received, absl::string_view code,
                          std::span<char> out) {
  NtpOverride ntp = Override();
  ntp.stratum.reset();
  if (ntp.kiss_code.empty()) ntp.kiss_code = std::string(code);
  return Send(request, received, ntp, NtpReply(), out);
}

NtpOverride NtpResponder::Override() const {
  const TestClock* const test_clock = core_.test_clock();
  return test_clock != nullptr && test_clock->active() ? test_clock->setting().ntp : NtpOverride();
}

const KernelClockState& NtpResponder::KernelClock(absl::Time now) {
  // Also when the machine's clock was set back.
  if (absl::AbsDuration(now - kernel_clock_read_) >= kKernelClockAge) {
    kernel_clock_ = options_.kernel_clock();
    kernel_clock_read_ = now;
  }
  return kernel_clock_;
}

size_t NtpResponder::Send(const NtpRequest& request, absl::Time received, const NtpOverride& ntp,
                          NtpReply reply, std::span<char> out) {
  const absl::Time received_told = core_.At(received);
  Apply(ntp, received_told, reply);
  reply.version = request.version;
  reply.poll = request.poll;
  reply.precision = options_.precision;
  reply.origin = request.transmit;
  reply.receive = ToNtpTimestamp(received_told);
  // The clock may have been set back since the kernel's stamp; no answer leaves before its request.
  reply.transmit = ToNtpTimestamp(std::max(core_.Now(), received_told));
  return SerializeNtpReply(reply, out);
}

}  // namespace rawgate::timesvc
