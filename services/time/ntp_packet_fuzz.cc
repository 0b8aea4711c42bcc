// Datagrams on the NTP port, and what a responder whose clock may be any makes of them.
#include <cstring>
#include <vector>

#include "runtime/testing/fuzz_input.h"
#include "services/time/ntp_packet.h"

namespace rawgate::timesvc {
namespace {

using ::rawgate::testing::Expect;
using ::rawgate::testing::FuzzInput;

constexpr size_t kOriginAt = 24;
constexpr size_t kTransmitAt = 40;

uint8_t ModeOf(absl::string_view packet) { return static_cast<uint8_t>(packet[0]) & 7; }
uint8_t VersionOf(absl::string_view packet) { return static_cast<uint8_t>(packet[0]) >> 3 & 7; }

void CheckRequest(absl::string_view packet, const NtpRequest& request) {
  Expect(packet.size() >= kNtpHeaderSize, "a request has a header");
  Expect(request.version == VersionOf(packet), "a version is the packet's");
  Expect(kNtpVersionMin <= request.version && request.version <= kNtpVersionMax,
         "a version is one of those that are served");
  Expect(ModeOf(packet) == 3 || (ModeOf(packet) == 0 && request.version == 1), "only clients ask");
  Expect(request.mode_by_port == (ModeOf(packet) == 0), "without a mode the port tells");
  Expect(!request.has_mac || packet.size() >= kNtpHeaderSize + 20, "a MAC takes its room");
}

absl::Time TakeTime(FuzzInput& input) {
  constexpr int64_t kCenturies = int64_t{400} * 366 * 86'400;
  const auto seconds = static_cast<int64_t>(input.TakeNumber(0, 2 * kCenturies)) - kCenturies;
  return absl::FromUnixSeconds(seconds) +
         absl::Nanoseconds(static_cast<int64_t>(input.TakeNumber(0, 999'999'999)));
}

absl::Duration TakeDuration(FuzzInput& input) {
  return absl::Nanoseconds(static_cast<int64_t>(input.TakeNumber(0, UINT64_MAX)));
}

// An answer with anything that a clock may say.
NtpReply TakeReply(FuzzInput& input, const NtpRequest& request) {
  NtpReply reply;
  reply.leap = static_cast<LeapIndicator>(input.TakeByte() & 3);
  reply.version = request.version;
  reply.stratum = input.TakeByte();
  reply.poll = request.poll;
  reply.precision = static_cast<int8_t>(input.TakeByte());
  reply.root_delay = TakeDuration(input);
  reply.root_dispersion = TakeDuration(input);
  reply.origin = request.transmit;
  const absl::Time now = TakeTime(input);
  reply.receive = reply.transmit = ToNtpTimestamp(now);
  const absl::Duration error = now - FromNtpTimestamp(reply.transmit, now);
  Expect(absl::ZeroDuration() <= error && error <= absl::Nanoseconds(2),
         "a timestamp is the time, rounded down");
  reply.crypto_nak = request.has_mac;
  return reply;
}

void CheckReply(absl::string_view packet, const NtpRequest& request, const NtpReply& reply) {
  // Exactly as large as the request, so that AddressSanitizer sees an answer that is larger.
  std::vector<char> out(packet.size());
  const size_t size = SerializeNtpReply(reply, out);
  Expect(size == kNtpHeaderSize + (reply.crypto_nak ? 4 : 0) && size <= packet.size(),
         "an answer is no larger than its request");
  const absl::string_view answer(out.data(), size);
  Expect(ModeOf(answer) == 4 && VersionOf(answer) == request.version,
         "an answer is a server's, of the client's version");
  Expect(!ParseNtpRequest(answer).has_value(), "no answer is a request");
  Expect(answer.substr(kOriginAt, 8) == packet.substr(kTransmitAt, 8),
         "an answer says which request it is for");
  std::vector<char> small(size - 1);
  Expect(SerializeNtpReply(reply, small) == 0, "half an answer is none");
}

}  // namespace
}  // namespace rawgate::timesvc

// The size of a packet, the packet, then what the clock says.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rawgate::timesvc;  // NOLINT: what is under test
  FuzzInput input(data, size);
  const absl::string_view packet = input.TakeText(input.TakeNumber(0, 255));
  const auto request = ParseNtpRequest(packet);
  if (!request.has_value()) return 0;
  CheckRequest(packet, *request);
  CheckReply(packet, *request, TakeReply(input, *request));
  return 0;
}
