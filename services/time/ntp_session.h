// NTP over UDP: PROTOCOL.md.
#pragma once

#include <optional>
#include <span>

#include "runtime/net/datagram_listener.h"
#include "services/time/ntp_responder.h"

namespace rawgate::timesvc {

class NtpSession final : public net::DatagramHandler {
 public:
  // `responder` outlives this object.
  explicit NtpSession(NtpResponder& responder) : responder_(responder) {}

  // What its listeners need.
  static net::DatagramOptions Options(double rate_per_source);

  bool IsRequest(const net::Datagram& datagram) override;
  std::optional<size_t> OnDatagram(const net::Datagram& datagram, std::span<char> reply) override;
  std::optional<size_t> OnRateExceeded(const net::Datagram& datagram,
                                       std::span<char> reply) override;

 private:
  NtpResponder& responder_;
};

}  // namespace rawgate::timesvc
