#include "services/echo/echo_session.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rawgate::echo {
namespace {

using net::Next;
using net::ReadResult;

// Taken from the socket at once. Large, so that pipelined requests are answered in one write;
// bounded, since a peer that does not read makes us keep what is left of it.
constexpr size_t kReadMax = 64 * 1024;

boost::asio::awaitable<Next> SendRest(net::Connection& connection, std::string rest) {
  co_return co_await connection.Write(rest) ? Next::kPark : Next::kClose;
}

}  // namespace

Next EchoStreamSession::OnReadable(net::Connection& connection) {
  const std::span<char> buffer = net::StreamListener::Scratch().first(kReadMax);
  const ReadResult read = connection.TryRead(buffer);
  if (read.kind == ReadResult::Kind::kWouldBlock) return Next::kPark;
  if (read.kind != ReadResult::Kind::kData) return Next::kClose;

  const std::span<char> bytes = buffer.first(read.size);
  Apply(transform_, bytes);
  const iovec part{bytes.data(), bytes.size()};
  const ssize_t sent = connection.TryWrite(std::span(&part, 1));
  if (sent < 0) return Next::kClose;
  connection.CountRequest(absl::OkStatus(), absl::ZeroDuration(),
                          [&] { return absl::StrCat("echo of ", bytes.size(), " bytes"); });
  if (static_cast<size_t>(sent) == bytes.size()) return Next::kPark;
  const std::span<char> rest = bytes.subspan(static_cast<size_t>(sent));
  unsent_.assign(rest.data(), rest.size());
  return Next::kServe;
}

boost::asio::awaitable<Next> EchoStreamSession::Serve(net::Connection& connection) {
  return SendRest(connection, std::exchange(unsent_, {}));
}

std::optional<size_t> EchoDatagramSession::OnDatagram(const net::Datagram& datagram,
                                                      std::span<char> reply) {
  const absl::string_view source =
      reply_ == DatagramReply::kGreeting ? kGreeting : datagram.payload;
  const std::span<char> answer = reply.first(std::min(source.size(), reply.size()));
  std::copy_n(source.data(), answer.size(), answer.data());
  if (reply_ == DatagramReply::kUpper) Apply(Transform::kUpper, answer);
  return answer.size();
}

}  // namespace rawgate::echo
