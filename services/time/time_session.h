// Time over UDP: PROTOCOL.md.
#pragma once

#include <optional>
#include <span>

#include "runtime/net/datagram_listener.h"
#include "services/time/time_core.h"

namespace rawgate::timesvc {

class TimeDatagramSession final : public net::DatagramHandler {
 public:
  // `core` outlives this object.
  explicit TimeDatagramSession(TimeCore& core) : core_(core) {}

  // What its listeners need.
  static net::DatagramOptions Options();

  std::optional<size_t> OnDatagram(const net::Datagram& datagram, std::span<char> reply) override;

 private:
  TimeCore& core_;
};

}  // namespace rawgate::timesvc
