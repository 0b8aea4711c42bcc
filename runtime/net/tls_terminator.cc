#include "runtime/net/tls_terminator.h"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

namespace rawgate::net {
namespace {

// How late a deadline may be noticed.
constexpr std::chrono::milliseconds kSweepInterval{100};

}  // namespace

using Phase = TlsRelay::Phase;

TlsTerminator::TlsTerminator(asio::io_context& loop, const Options& options,
                             std::shared_ptr<TlsContext> context, Owner& owner)
    : loop_(loop),
      options_(options),
      context_(std::move(context)),
      owner_(owner),
      sweep_timer_(loop.get_executor()) {}

TlsTerminator::~TlsTerminator() { relays_.clear_and_dispose(std::default_delete<TlsRelay>()); }

void TlsTerminator::Take(Fd wire, Relay* below) {
  SSL* const ssl = SSL_new(context_->Current()->native_handle());
  if (ssl == nullptr) {  // no memory: the peer sees its connection close
    if (below != nullptr) below->OnFinished(CloseReason::kLocalError);
    return;
  }
  if (handshakes_ >= options_.handshakes_max) {
    phases_[static_cast<size_t>(Phase::kHandshake)].front().EndHandshake(
        CloseReason::kLimit, "too many handshakes at once, and this was the oldest");
  }
  auto* relay =
      new TlsRelay(*this, std::move(wire), below, pair_.TakeOutside(), pair_.TakeInside(), ssl);
  relays_.push_back(*relay);  // freed after Bury()
  ++count_;
  ++handshakes_;
  SetPhase(*relay, Phase::kHandshake);
  if (!relay->Watch()) relay->EndHandshake(CloseReason::kLocalError, "no memory to watch it");
}

void TlsTerminator::Stop(bool all) {
  stopping_ = true;
  cutting_ = cutting_ || all;
  auto& handshakes = phases_[static_cast<size_t>(Phase::kHandshake)];
  while (!handshakes.empty()) handshakes.front().EndHandshake(CloseReason::kStopped, "");
  auto& lingering = phases_[static_cast<size_t>(Phase::kLinger)];
  while (!lingering.empty()) lingering.front().Cut();
  auto& flushing = phases_[static_cast<size_t>(Phase::kFlush)];
  while (all && !flushing.empty()) flushing.front().Cut();
}

void TlsTerminator::RunSoon(TlsRelay& relay) {
  if (relay.soon_hook_.is_linked()) return;
  const bool first = soon_.empty();
  soon_.push_back(relay);
  if (first) asio::post(loop_, [this] { RunNext(); });
}

void TlsTerminator::RunNext() {
  if (soon_.empty()) return;
  TlsRelay& relay = soon_.front();
  soon_.pop_front();
  // Before it runs, which may end with this object.
  if (!soon_.empty()) asio::post(loop_, [this] { RunNext(); });
  relay.Run();
}

void TlsTerminator::SetPhase(TlsRelay& relay, Phase phase) {
  if (relay.phase_ == Phase::kHandshake && phase != Phase::kHandshake) --handshakes_;
  relay.phase_hook_.unlink();
  relay.phase_ = phase;
  if (phase == Phase::kOpen) return;
  const std::chrono::milliseconds length = Length(phase);
  relay.deadline_ = length == std::chrono::milliseconds::max()
                        ? std::chrono::steady_clock::time_point::max()
                        : std::chrono::steady_clock::now() + length;
  phases_[static_cast<size_t>(phase)].push_back(relay);
  if (!sweep_scheduled_) ScheduleSweep();
}

void TlsTerminator::Forget(TlsRelay& relay) {
  owner_.poller().Remove(relay.wire_.get(), relay.wire_side_);
  owner_.poller().Remove(relay.outside_.get(), relay.outside_side_);
  if (relay.phase_ == Phase::kHandshake) --handshakes_;
  relay.phase_ = Phase::kOpen;
  relay.phase_hook_.unlink();
  relay.soon_hook_.unlink();
}

void TlsTerminator::Bury(TlsRelay& relay) {
  relay.table_hook_.unlink();
  --count_;
  // Its own functions may still be running. Whoever calls the handler, or drops it, frees it.
  asio::post(loop_, [freed = std::unique_ptr<TlsRelay>(&relay)] {});
  owner_.OnRelayGone();
}

std::chrono::milliseconds TlsTerminator::Length(Phase phase) const {
  switch (phase) {
    case Phase::kHandshake:
      return options_.handshake_timeout;
    case Phase::kFlush:
      return options_.stall_timeout;
    case Phase::kLinger:
      return options_.linger_timeout;
    case Phase::kOpen:
      break;
  }
  return std::chrono::milliseconds::max();
}

void TlsTerminator::ScheduleSweep() {
  sweep_scheduled_ = true;
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    sweep_scheduled_ = false;
    Sweep();
  });
}

void TlsTerminator::Sweep() {
  const auto now = std::chrono::steady_clock::now();
  bool more = false;
  for (auto& phase : phases_) {
    while (!phase.empty() && phase.front().deadline_ <= now) {
      TlsRelay& late = phase.front();
      if (late.phase_ == Phase::kHandshake) {
        late.EndHandshake(CloseReason::kHeaderDeadline, "the TLS handshake took too long");
      } else {
        late.Cut();
      }
    }
    more |= !phase.empty();
  }
  if (more && !sweep_scheduled_) ScheduleSweep();
}

}  // namespace rawgate::net
