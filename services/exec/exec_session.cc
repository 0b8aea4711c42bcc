#include "services/exec/exec_session.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/base/status.h"
#include "services/exec/exec_frame.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using net::CloseReason;
using net::Connection;
using net::Next;
using net::ReadResult;
using SteadyClock = std::chrono::steady_clock;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>,
                                         asio::io_context::executor_type>;

constexpr size_t kReadMax = 64 * 1024;
// Held of what a client sends ahead. Must be more than a command, so that a longer one is seen to
// be too long.
constexpr size_t kBufferedMax = 2 * RequestDecoder::kCommandMax;
// How long nothing must come to end a command of many bytes, and how often is looked.
constexpr auto kSilence = std::chrono::milliseconds(10);
constexpr auto kSilenceStep = std::chrono::milliseconds(1);

// What there was to read.
enum class Intake { kQuiet, kMore, kEnd, kGone };

// Gives the decoder all that waits, up to kBufferedMax.
Intake TakeWaiting(Connection& connection, RequestDecoder& decoder) {
  const std::span<char> buffer = net::StreamListener::Scratch().first(kReadMax);
  while (decoder.buffered() < kBufferedMax) {
    const ReadResult read = connection.TryRead(buffer);
    switch (read.kind) {
      case ReadResult::Kind::kData:
        decoder.Feed(absl::string_view(buffer.data(), read.size));
        break;
      case ReadResult::Kind::kWouldBlock:
        decoder.OnQuiet();
        return Intake::kQuiet;
      case ReadResult::Kind::kEnd:
        decoder.OnEnd();
        return Intake::kEnd;
      case ReadResult::Kind::kGone:
        return Intake::kGone;
    }
  }
  return Intake::kMore;
}

// Lets the loop do other things for `pause`.
awaitable<void> Pause(Connection& connection, SteadyClock::duration pause) {
  Timer timer(connection.listener().loop().get_executor(), pause);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

awaitable<Next> ExecSession::Serve(Connection& connection) {
  RequestDecoder decoder(/*first=*/connection.requests() == 0);
  auto last_bytes = SteadyClock::now();
  for (;;) {
    const size_t before = decoder.buffered();
    const Intake intake = TakeWaiting(connection, decoder);
    if (intake == Intake::kGone) co_return Next::kClose;
    if (decoder.buffered() > before) last_bytes = SteadyClock::now();
    if (SteadyClock::now() - last_bytes >= kSilence) decoder.OnSilence();
    if (!co_await RunComplete(connection, decoder)) co_return Next::kClose;
    if (intake == Intake::kEnd) co_return Next::kClose;
    if (intake == Intake::kMore) {
      // Others, and the deadline, have their turn however fast this client writes.
      co_await asio::post(asio::use_awaitable);
      continue;
    }
    if (!decoder.awaiting_silence()) co_return Next::kPark;
    co_await Pause(connection, kSilenceStep);
  }
}

awaitable<bool> ExecSession::RunComplete(Connection& connection, RequestDecoder& decoder) {
  for (;;) {
    absl::StatusOr<std::optional<std::string>> command = decoder.Next();
    if (command.ok() && !command->has_value()) co_return true;
    absl::Status refusal = command.status();
    if (refusal.ok()) {
      CommandSpec spec;
      spec.shell_command = **std::move(command);
      refusal = co_await Run(connection, std::move(spec));
    }
    if (!refusal.ok()) co_await RefuseAndClose(connection, std::move(refusal));
    if (connection.closed()) co_return false;
  }
}

awaitable<void> ExecSession::RefuseAndClose(Connection& connection, absl::Status refusal) {
  if (ReasonOf(refusal) == "CROSS_PROTOCOL") {
    Warn(connection,
         "sent an HTTP request: suspected attack through a browser, nothing of it was run");
    connection.Close(CloseReason::kCrossProtocol, refusal.message());
    co_return;
  }
  CloseReason reason = CloseReason::kLimit;
  if (ReasonOf(refusal) == "BAD_COMMAND") reason = CloseReason::kProtocolError;
  if (ReasonOf(refusal) == "POLICY_REFUSED") reason = CloseReason::kRefused;
  co_await Refuse(connection, std::move(refusal), reason);
}

}  // namespace rawgate::exec
