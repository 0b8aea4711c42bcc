#include "services/time/ntp_session.h"

namespace rawgate::timesvc {
namespace {

// Enough for several extension fields; a larger one has no business with a server without keys.
constexpr size_t kRequestMax = 1024;
// A client beyond its rate is told so no more often than this: the answer to a flood is silence.
constexpr absl::Duration kRateNoticeInterval = absl::Seconds(8);

// What `datagram` asks; nullopt when it may be another server's.
std::optional<NtpRequest> RequestIn(const net::Datagram& datagram) {
  std::optional<NtpRequest> request = ParseNtpRequest(datagram.payload);
  if (request.has_value() && request->mode_by_port && datagram.peer.port() == kNtpPort) {
    return std::nullopt;
  }
  return request;
}

std::optional<size_t> WhatFits(size_t size) {
  return size > 0 ? std::optional(size) : std::nullopt;
}

}  // namespace

net::DatagramOptions NtpSession::Options(double rate_per_source) {
  net::DatagramOptions options;
  options.payload_max = kRequestMax;
  options.drop_oversized = true;
  options.reply_max = NtpResponder::kReplyMax;
  options.rates.per_source = rate_per_source;
  options.rates.notice_interval = kRateNoticeInterval;
  options.answerable_port = kNtpPort;
  options.kernel_timestamps = true;
  return options;
}

bool NtpSession::IsRequest(const net::Datagram& datagram) {
  return RequestIn(datagram).has_value();
}

std::optional<size_t> NtpSession::OnDatagram(const net::Datagram& datagram, std::span<char> reply) {
  const std::optional<NtpRequest> request = RequestIn(datagram);
  if (!request.has_value()) return std::nullopt;
  return WhatFits(responder_.Answer(*request, datagram.received_at, reply));
}

std::optional<size_t> NtpSession::OnRateExceeded(const net::Datagram& datagram,
                                                 std::span<char> reply) {
  const std::optional<NtpRequest> request = RequestIn(datagram);
  if (!request.has_value()) return std::nullopt;
  return WhatFits(responder_.Kiss(*request, datagram.received_at, "RATE", reply));
}

}  // namespace rawgate::timesvc
