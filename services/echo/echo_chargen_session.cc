#include "services/echo/echo_chargen_session.h"

#include <algorithm>
#include <array>

#include <boost/asio/use_awaitable.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/status.h"

namespace rawgate::echo {
namespace {

namespace asio = boost::asio;
using net::Connection;
using net::Next;
using net::ReadResult;
using net::Wait;
using SteadyClock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>,
                                         asio::io_context::executor_type>;

// Two intervals' worth at the highest rate, in runs of the pattern.
constexpr size_t kRunsMax = 48;
static_assert(kRunsMax * kChargenRunMin >= ByteRate::kMax / 50 * 2);

// Counts a connection as open while it lives.
class Open {
 public:
  explicit Open(size_t& count) : count_(count) { ++count_; }
  ~Open() { --count_; }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;

 private:
  size_t& count_;
};

// What has been sent is the whole of a connection's progress, so a slow reader misses nothing of
// the pattern. False: the peer is gone.
bool SendSome(Connection& connection, size_t allowed, uint64_t* position, ChargenPacer* pacer) {
  if (allowed == 0) return true;
  std::array<iovec, kRunsMax> parts;
  size_t count = 0;
  size_t offered = 0;
  while (offered < allowed && count < parts.size()) {
    const absl::string_view run = ChargenFrom(*position + offered).substr(0, allowed - offered);
    parts[count++] = {const_cast<char*>(run.data()), run.size()};
    offered += run.size();
  }
  const ssize_t sent = connection.TryWrite(std::span(parts).first(count));
  if (sent < 0) return false;
  *position += static_cast<uint64_t>(sent);
  pacer->Sent(static_cast<size_t>(sent));
  // Only a peer that leaves bytes untaken stalls; the pace is ours.
  if (static_cast<size_t>(sent) == offered) {
    connection.SetWait(Wait::kNone);
  } else if (sent > 0 || connection.wait() != Wait::kStall) {
    connection.SetWait(Wait::kStall);
  }
  return true;
}

// RFC 864: what the client sends is thrown away. False: it has ended the connection.
bool DiscardSome(Connection& connection) {
  const ReadResult read = connection.TryRead(net::StreamListener::Scratch());
  return read.kind == ReadResult::Kind::kData || read.kind == ReadResult::Kind::kWouldBlock;
}

}  // namespace

asio::awaitable<Next> ChargenSession::Serve(Connection& connection) {
  const Open open(open_);
  const SteadyClock::time_point began = SteadyClock::now();
  ChargenPacer pacer;
  uint64_t position = 0;
  Timer timer(connection.listener().loop().get_executor());
  connection.SetWait(Wait::kNone);
  while (!connection.closed() && !connection.draining()) {
    const ChargenPace pace = ChargenPace::Of(rate_, open_);
    const size_t allowed = pacer.Allowed(pace, SteadyClock::now());
    if (!SendSome(connection, allowed, &position, &pacer) || !DiscardSome(connection)) break;
    // Not a wait for the socket: a client that does not read what it is sent may still be sending,
    // and that must not fill up.
    timer.expires_after(pace.interval);
    co_await timer.async_wait(asio::use_awaitable);
  }
  connection.CountRequest(absl::OkStatus(), absl::FromChrono(SteadyClock::now() - began),
                          [&] { return absl::StrCat("chargen of ", position, " bytes"); });
  co_return connection.draining() ? Next::kPark : Next::kClose;
}

absl::Status ChargenOverDatagrams() {
  return Error(absl::StatusCode::kFailedPrecondition, "AMPLIFIES",
               "chargen is served over streams alone: over UDP whoever forges a victim's address "
               "would have much sent to it for little");
}

}  // namespace rawgate::echo
