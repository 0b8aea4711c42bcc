#include "services/time/time_session.h"

#include "services/time/time_format.h"

namespace rawgate::timesvc {

net::DatagramOptions TimeDatagramSession::Options() {
  net::DatagramOptions options;
  options.payload_max = kFormatMax;
  options.reply_max = TimeCore::kAnswerMax;
  return options;
}

std::optional<size_t> TimeDatagramSession::OnDatagram(const net::Datagram& datagram,
                                                      std::span<char> reply) {
  return core_.Answer(datagram.payload, reply);
}

}  // namespace rawgate::timesvc
