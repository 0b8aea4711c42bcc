#include "services/time/classic_session.h"

#include <algorithm>
#include <array>
#include <string>

#include <boost/endian/conversion.hpp>

#include "services/time/ntp_packet.h"

namespace rawgate::timesvc {
namespace {

// ctime(3) pads the day of the month with a blank.
constexpr absl::string_view kDaytimeFormat = "%a %b %e %H:%M:%S %Y\r\n";

}  // namespace

size_t AnswerClassic(ClassicProtocol protocol, TimeCore& core, std::span<char> out) {
  if (protocol == ClassicProtocol::kDaytime) return core.Answer(kDaytimeFormat, out);
  std::array<unsigned char, sizeof(uint32_t)> seconds;
  // The same count as that of NTP, of which it is the whole seconds.
  boost::endian::store_big_u32(seconds.data(),
                               static_cast<uint32_t>(ToNtpTimestamp(core.Now()) >> 32));
  const size_t size = std::min(seconds.size(), out.size());
  std::copy_n(seconds.begin(), size, out.begin());
  return size;
}

boost::asio::awaitable<net::Next> ClassicStreamSession::Serve(net::Connection& connection) {
  std::array<char, kClassicAnswerMax> answer;
  const size_t size = AnswerClassic(protocol_, core_, answer);
  if (!co_await connection.Write({answer.data(), size})) co_return net::Next::kClose;
  connection.CountRequest(absl::OkStatus(), absl::ZeroDuration(), [this] {
    return std::string(protocol_ == ClassicProtocol::kDaytime ? "daytime" : "time");
  });
  co_await connection.CloseGently(net::CloseReason::kNone, "");
  co_return net::Next::kClose;
}

net::DatagramOptions ClassicDatagramSession::Options() {
  net::DatagramOptions options;
  // What a datagram holds matters to nobody but those who watch.
  options.payload_max = 64;
  options.reply_max = kClassicAnswerMax;
  return options;
}

std::optional<size_t> ClassicDatagramSession::OnDatagram(const net::Datagram&,
                                                         std::span<char> reply) {
  return AnswerClassic(protocol_, core_, reply);
}

}  // namespace rawgate::timesvc
