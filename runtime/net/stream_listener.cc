#include "runtime/net/stream_listener.h"

#include <exception>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/net/relay.h"
#include "runtime/net/tls_relay.h"

namespace rawgate::net {
namespace {

std::unique_ptr<TlsTerminator> MakeTerminator(asio::io_context& loop, const Endpoint& address,
                                              const StreamOptions& options,
                                              TlsTerminator::Owner& owner) {
  if (address.transport() != Transport::kTls) return nullptr;
  return std::make_unique<TlsTerminator>(
      loop,
      TlsTerminator::Options{.handshakes_max = options.tls_handshakes_max,
                             .handshake_timeout = options.header_timeout,
                             .stall_timeout = options.stall_timeout,
                             .linger_timeout = options.header_timeout},
      options.tls, owner);
}

}  // namespace

StreamListener::StreamListener(asio::io_context& loop, std::string name, Endpoint address,
                               const StreamOptions& options, StreamHandler& handler,
                               observe::EventLog& events)
    : Listener(std::move(name), address, events),
      loop_(loop),
      options_(options),
      handler_(handler),
      acceptor_(loop, name_, configured_, options.connections_max, *this),
      sweep_timer_(loop.get_executor()),
      poller_(loop),
      tls_(MakeTerminator(loop, configured_, options, *this)) {}

StreamListener::~StreamListener() {
  if (fault_relays_ != nullptr) fault_relays_->Abandon();
  connections_.clear_and_dispose(std::default_delete<Connection>());
}

std::span<char> StreamListener::Scratch() {
  thread_local const auto buffer = std::make_unique<std::array<char, 256 * 1024>>();
  return *buffer;
}

absl::Status StreamListener::Start() {
  if (acceptor_.is_open()) return absl::OkStatus();
  if (absl::Status opened = acceptor_.Open(); !opened.ok()) return opened;
  bound_uri_ = acceptor_.uri();
  drained_ = nullptr;
  if (tls_ != nullptr) tls_->Resume();
  return absl::OkStatus();
}

void StreamListener::Stop(std::function<void()> drained) {
  SetFaults({});
  acceptor_.Close();
  bound_uri_.clear();
  if (tls_ != nullptr) tls_->Stop(/*all=*/false);
  if (fault_relays_ != nullptr) fault_relays_->Stop(/*all=*/false);
  drained_ = std::move(drained);
  // Parked connections have nothing in progress. Closing only cancels their wait: Finish() follows
  // from the loop, so the list does not change under this iteration.
  for (Connection& connection : connections_) {
    if (connection.wait() == Wait::kIdle) connection.Close(CloseReason::kStopped);
  }
  TellIfDrained();
}

void StreamListener::TellIfDrained() {
  const bool empty = connections_.empty() && (tls_ == nullptr || tls_->count() == 0) &&
                     (fault_relays_ == nullptr || fault_relays_->count() == 0);
  if (empty && drained_) std::exchange(drained_, nullptr)();
}

void StreamListener::CloseAll() {
  for (Connection& connection : connections_) connection.Close(CloseReason::kStopped);
  if (tls_ != nullptr) tls_->Stop(/*all=*/true);
  if (fault_relays_ != nullptr) fault_relays_->Stop(/*all=*/true);
}

void StreamListener::List(uint64_t after_id, size_t limit, std::vector<ConnectionInfo>* rows) {
  for (const Connection& connection : connections_) {
    if (rows->size() >= limit) return;
    if (connection.id_ <= after_id) continue;
    rows->push_back({.id = connection.id_,
                     .listener = name_,
                     .transport = configured_.transport(),
                     .peer = connection.PeerName(),
                     .open_time = absl::FromUnixMillis(connection.opened_unix_ms_),
                     .bytes_received = connection.bytes_received_,
                     .bytes_sent = connection.bytes_sent_,
                     .requests = connection.requests_});
  }
}

bool StreamListener::CloseConnection(uint64_t id) {
  for (Connection& connection : connections_) {
    if (connection.id_ != id) continue;
    connection.Close(CloseReason::kOperator);
    return true;
  }
  return false;
}

// ---- Accepting

size_t StreamListener::connection_count() const {
  const size_t finished = fault_relays_ == nullptr ? 0 : fault_relays_->finished();
  return finished + (tls_ == nullptr ? connection_count_ : tls_->count());
}

int StreamListener::Prepare() {
  const int scarce = fault_relays_ == nullptr ? 0 : fault_relays_->Prepare();
  return scarce != 0 || tls_ == nullptr ? scarce : tls_->Prepare();
}

void StreamListener::OnAccepted(Fd fd) {
  if (fault_relays_ == nullptr || !fault_relays_->active()) return Take(std::move(fd), nullptr);
  FaultRelay* const relay = fault_relays_->Take(std::move(fd));
  if (relay != nullptr) Take(relay->TakeInside(), relay);
}

void StreamListener::Take(Fd fd, Relay* relay) {
  if (tls_ != nullptr) return tls_->Take(std::move(fd), relay);
  Adopt(std::move(fd), relay);
}

void StreamListener::ApplyFaults() {
  if (fault_relays_ == nullptr) {
    if (faults().empty()) return;
    FaultRelays::Owner& owner = *this;
    fault_relays_ = std::make_unique<FaultRelays>(
        loop_,
        FaultRelays::Options{.transport = configured_.transport(),
                             .stall_timeout = options_.stall_timeout,
                             .linger_timeout = options_.header_timeout},
        owner);
  }
  fault_relays_->Set(faults());
}

void StreamListener::OnFault(FaultKind kind, uint64_t connection_id, const std::string& peer,
                             bool received) {
  CountFault(kind, connection_id, peer, received);
}

void StreamListener::Adopt(TlsRelay& relay) { Adopt(relay.TakeInside(), &relay); }

void StreamListener::OnFailedHandshake(const TlsRelay& relay, CloseReason reason,
                                       absl::string_view detail) {
  const std::string peer = relay.peer().ToUri();
  const uint64_t id = NextConnectionId();
  counters_.connections_opened.Add();
  events_.Record(name_, id, [&] { return observe::ConnectionOpened{peer, Transport::kTls}; });
  events_.Record(name_, id, [&] {
    return observe::ConnectionClosed{reason, std::string(detail), 0, 0, 0};
  });
  counters_.closed[static_cast<size_t>(reason)].Add();
  const std::optional<uint64_t> held_back = handshake_log_.Take();
  if (!held_back) return;
  spdlog::info("{}: no TLS with {}: {} {}{}", name_, peer,
               std::string(observe::CloseReasonName(reason)), std::string(detail),
               *held_back == 0 ? "" : absl::StrCat(" (and ", *held_back, " more)"));
}

void StreamListener::OnRelayGone() {
  acceptor_.OnRoom();
  TellIfDrained();
}

void StreamListener::Adopt(Fd fd, Relay* relay) {
  auto* connection = new Connection(*this, NextConnectionId(), std::move(fd), relay);
  if (relay != nullptr) relay->SetConnection(*connection);
  connections_.push_back(*connection);  // freed by Finish()
  ++connection_count_;
  counters_.connections_opened.Add();
  counters_.connections_open.Add();
  events_.Record(name_, connection->id_, [&] {
    return observe::ConnectionOpened{connection->PeerName(), configured_.transport()};
  });
  absl::Status admitted = handler_.Admit(*connection);
  if (!admitted.ok()) connection->Close(CloseReason::kRefused, admitted.message());
  if (admitted.ok()) {
    admitted = poller_.Add(connection->native_handle(), *connection);
    if (!admitted.ok()) connection->Close(CloseReason::kLocalError, admitted.message());
  }
  if (!admitted.ok()) return Finish(*connection);
  if (!sweep_scheduled_) ScheduleSweep();
  Continue(*connection, handler_.OnOpen(*connection));
}

// ---- Serving

void StreamListener::Park(Connection& connection) {
  connection.SetWait(Wait::kIdle);
  connection.parked_ = true;
  connection.mid_request_ = false;
  if (connection.HasUnread()) PostWakeUp(connection);
}

void StreamListener::Unpark(Connection& connection) {
  connection.parked_ = false;
  if (connection.closed()) return Finish(connection);
  Continue(connection, handler_.OnReadable(connection));
}

void StreamListener::PostWakeUp(Connection& connection) {
  if (connection.wake_hook_.is_linked()) return;
  if (to_wake_.empty()) {
    asio::post(loop_, [this] {
      // Only those that are here now: who joins meanwhile has a turn of its own.
      ConnectionList<&Connection::wake_hook_> now;
      now.swap(to_wake_);
      while (!now.empty()) {
        Connection& next = now.front();
        now.pop_front();
        next.WakeUp();
      }
    });
  }
  to_wake_.push_back(connection);
}

void StreamListener::Continue(Connection& connection, Next next) {
  if (next == Next::kClose || (next == Next::kPark && draining())) {
    connection.Close(next == Next::kClose ? CloseReason::kPeerClosed : CloseReason::kStopped);
  }
  if (connection.closed()) return Finish(connection);
  if (next == Next::kPark) return Park(connection);
  StartServing(connection);
}

void StreamListener::StartServing(Connection& connection) {
  connection.SetWait(Wait::kHeader);
  asio::co_spawn(loop_, handler_.Serve(connection),
                 [this, &connection](std::exception_ptr failure, Next next) {
                   if (failure) {
                     spdlog::error("{}: a session ended by an exception", name_);
                     connection.Close(CloseReason::kLocalError, "internal error");
                     next = Next::kClose;
                   }
                   Continue(connection, next);
                 });
}

void StreamListener::Finish(Connection& connection) {
  // Before the totals: who sees them finds the event.
  events_.Record(name_, connection.id_, [&] {
    return observe::ConnectionClosed{
        connection.reason_, connection.close_detail_ ? *connection.close_detail_ : "",
        connection.bytes_received_, connection.bytes_sent_, connection.requests_};
  });
  counters_.connections_open.Subtract();
  counters_.closed[static_cast<size_t>(connection.reason_)].Add();
  poller_.Remove(connection.native_handle(), connection);
  if (connection.relay_ != nullptr) connection.relay_->OnFinished(connection.reason_);
  --connection_count_;
  connections_.erase_and_dispose(connections_.iterator_to(connection),
                                 std::default_delete<Connection>());
  acceptor_.OnRoom();
  TellIfDrained();
}

}  // namespace rawgate::net
