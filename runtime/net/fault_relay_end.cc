// How a FaultRelay ends.
#include <sys/socket.h>

#include <cerrno>
#include <span>
#include <utility>

#include "runtime/net/fault_relay.h"
#include "runtime/net/fault_relays.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::net {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
// How often it is looked whether the peer has acknowledged everything.
constexpr Nanoseconds kLookInterval = kMillisecond;
// One read, and how much is dropped before it is another connection's turn.
constexpr size_t kReadBytes = 64 << 10;
constexpr size_t kTurnBytes = 256 << 10;

}  // namespace

void FaultRelay::OnSinkGone(Way& way, Nanoseconds now) {
  way.discarding = true;
  if (way.received) return;  // what the service wrote before it closed is still sent
  wire_broken_ = true;
  if (received_.over) return PassReset(received_);
  // After what the peer has sent before it went.
  if (received_.source_ended) received_.path.Finish(StreamFaultPath::End::kReset, now);
}

void FaultRelay::PassReset(const Way& way) {
  if (!way.received) return End(/*reset=*/true);
  reset_ = true;
  End(/*reset=*/false);
}

void FaultRelay::CutOff(const Way& way, Nanoseconds now) {
  const bool with_reset = way.path.cuts_with_reset();
  relays_.OnHit(with_reset ? FaultKind::kReset : FaultKind::kCut, connection_id_, peer_name_,
                way.received);
  reset_ = with_reset;
  ::shutdown(outside_.get(), SHUT_RDWR);
  deadline_ = After(now, relays_.options().linger_timeout);
  phase_ = with_reset ? Phase::kResetting : Phase::kLinger;
  if (!with_reset) ::shutdown(wire_.get(), SHUT_WR);
  Run();
}

void FaultRelay::ResetWhenTaken(Nanoseconds now) {
  // A reset would destroy what is on its way.
  if (Untaken(wire_.get()) == 0 || now >= deadline_) return End(/*reset=*/true);
  RunAt(now + kLookInterval);
}

void FaultRelay::Discard(Nanoseconds now) {
  // Closing with bytes unread would be a reset (RFC 1122 section 4.2.2.13).
  const std::span<char> buffer = StreamListener::Scratch().first(kReadBytes);
  for (size_t dropped = 0; dropped < kTurnBytes && now < deadline_;) {
    const ssize_t n = ::recv(wire_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return RunAt(deadline_);
    if (n <= 0) return End(/*reset=*/false);
    dropped += static_cast<size_t>(n);
  }
  if (now >= deadline_) return End(/*reset=*/false);
  RunAt(now);
}

void FaultRelay::OnFinished(observe::CloseReason) {
  finished_ = true;
  ++relays_.finished_;
  if (phase_ == Phase::kDead) return relays_.Bury(*this);
  // Otherwise its socket is about to close, which is an event.
  if (phase_ == Phase::kOpen && sent_.over) End(/*reset=*/false);
}

void FaultRelay::End(bool reset) {
  if (std::exchange(phase_, Phase::kDead) == Phase::kDead) return;
  relays_.Forget(*this);
  timer_.cancel();
  ::shutdown(outside_.get(), SHUT_RDWR);
  if (transport_ == Transport::kUnix) {
    // Its peer can be asked for until the connection has gone.
    ::shutdown(wire_.get(), SHUT_RDWR);
  } else {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (reset) ::setsockopt(wire_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    wire_.Reset();
  }
  if (finished_) relays_.Bury(*this);
}

}  // namespace rawgate::net
