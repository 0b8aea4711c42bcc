#include "services/echo/echo_discard_session.h"

#include "absl/strings/str_cat.h"

namespace rawgate::echo {

using net::Next;
using net::ReadResult;

Next DiscardStreamSession::OnReadable(net::Connection& connection) {
  const ReadResult read = connection.TryRead(net::StreamListener::Scratch());
  if (read.kind == ReadResult::Kind::kWouldBlock) return Next::kPark;
  if (read.kind != ReadResult::Kind::kData) return Next::kClose;
  connection.CountRequest(absl::OkStatus(), absl::ZeroDuration(),
                          [&] { return absl::StrCat("discard of ", read.size, " bytes"); });
  return Next::kPark;
}

// Never asked for: OnReadable() leaves nothing to do.
boost::asio::awaitable<Next> DiscardStreamSession::Serve(net::Connection&) {
  co_return Next::kPark;
}

}  // namespace rawgate::echo
