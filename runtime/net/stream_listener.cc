#include "runtime/net/stream_listener.h"

#include <exception>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/net/tls_relay.h"

namespace rawgate::net {
namespace {

using std::chrono::milliseconds;

// How late a deadline may be noticed.
constexpr milliseconds kSweepInterval{100};

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
  acceptor_.Close();
  bound_uri_.clear();
  if (tls_ != nullptr) tls_->Stop(/*all=*/false);
  drained_ = std::move(drained);
  // Parked connections have nothing in progress. Closing only cancels their wait: Finish() follows
  // from the loop, so the list does not change under this iteration.
  for (Connection& connection : connections_) {
    if (connection.wait() == Wait::kIdle) connection.Close(CloseReason::kStopped);
  }
  TellIfDrained();
}

void StreamListener::TellIfDrained() {
  const bool empty = connections_.empty() && (tls_ == nullptr || tls_->count() == 0);
  if (empty && drained_) std::exchange(drained_, nullptr)();
}

void StreamListener::CloseAll() {
  for (Connection& connection : connections_) connection.Close(CloseReason::kStopped);
  if (tls_ != nullptr) tls_->Stop(/*all=*/true);
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
  return tls_ == nullptr ? connection_count_ : tls_->count();
}

int StreamListener::Prepare() { return tls_ == nullptr ? 0 : tls_->Prepare(); }

void StreamListener::OnAccepted(Fd fd) {
  if (tls_ != nullptr) return tls_->Take(std::move(fd));
  Adopt(std::move(fd), nullptr);
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

void StreamListener::Adopt(Fd fd, TlsRelay* relay) {
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

// ---- Deadlines

milliseconds StreamListener::Length(Wait wait) const {
  switch (wait) {
    case Wait::kIdle:
      return options_.idle_timeout;
    case Wait::kHeader:
      return options_.header_timeout;
    case Wait::kStall:
      return options_.stall_timeout;
    case Wait::kNone:
      break;
  }
  return milliseconds::max();
}

void StreamListener::Enqueue(Connection& connection) {
  const milliseconds length = Length(connection.wait_);
  connection.deadline_ =
      length == milliseconds::max() ? SteadyTime::max() : std::chrono::steady_clock::now() + length;
  waits_[static_cast<size_t>(connection.wait_)].push_back(connection);
}

void StreamListener::ScheduleSweep() {
  sweep_scheduled_ = true;
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    sweep_scheduled_ = false;
    if (error) return;
    Sweep();
    if (!connections_.empty()) ScheduleSweep();
  });
}

void StreamListener::Sweep() {
  static constexpr std::array<CloseReason, kWaits> kReasons = {
      CloseReason::kNone, CloseReason::kIdle, CloseReason::kHeaderDeadline, CloseReason::kStalled};
  const SteadyTime now = std::chrono::steady_clock::now();
  for (size_t wait = 0; wait < kWaits; ++wait) {
    // Close() takes the connection out of the queue.
    while (!waits_[wait].empty() && waits_[wait].front().deadline_ <= now) {
      waits_[wait].front().Close(kReasons[wait]);
    }
  }
}

}  // namespace rawgate::net
