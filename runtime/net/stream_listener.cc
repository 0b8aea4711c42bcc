#include "runtime/net/stream_listener.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/net/bind.h"

namespace rawgate::net {
namespace {

using std::chrono::milliseconds;

// Connections accepted in one turn of the loop, so that a flood of them does not starve those that
// are served.
constexpr int kAcceptBatch = 64;
// How long to wait before asking again for a descriptor when there was none. Shorter than anybody
// waits for a connection, long enough to cost nothing.
constexpr milliseconds kAcceptPause{50};
// Between two lines of log about accepting: what makes them comes by the thousand.
constexpr std::chrono::seconds kWarningInterval{10};
// How late a deadline may be noticed.
constexpr milliseconds kSweepInterval{100};

// Every byte in order, urgent ones included, as RFC 6093 recommends.
void TakeUrgentInline(int fd) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

}  // namespace

StreamListener::StreamListener(asio::io_context& loop, std::string name, Endpoint address,
                               const StreamOptions& options, StreamHandler& handler,
                               observe::EventLog& events)
    : Listener(std::move(name), address, events),
      loop_(loop),
      options_(options),
      handler_(handler),
      acceptor_(loop.get_executor()),
      pause_timer_(loop.get_executor()),
      sweep_timer_(loop.get_executor()),
      poller_(loop) {}

StreamListener::~StreamListener() {
  connections_.clear_and_dispose(std::default_delete<Connection>());
}

std::span<char> StreamListener::Scratch() {
  thread_local const auto buffer = std::make_unique<std::array<char, 256 * 1024>>();
  return *buffer;
}

absl::Status StreamListener::Start() {
  if (acceptor_.is_open()) return absl::OkStatus();
  absl::StatusOr<BoundSocket> bound = BindStream(configured_, picked_port_);
  if (!bound.ok()) return bound.status();
  picked_port_ = bound->endpoint.port();
  bound_uri_ = bound->endpoint.ToUri();
  acceptor_.assign(bound->fd.Release());
  drained_ = nullptr;
  full_ = false;
  WaitToAccept();
  return absl::OkStatus();
}

void StreamListener::Stop(std::function<void()> drained) {
  if (acceptor_.is_open()) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_timer_.cancel();
    if (configured_.transport() == Transport::kUnix) ::unlink(configured_.path().c_str());
    bound_uri_.clear();
  }
  drained_ = std::move(drained);
  // Parked connections have nothing in progress. Closing only cancels their wait: Finish() follows
  // from the loop, so the list does not change under this iteration.
  for (Connection& connection : connections_) {
    if (connection.wait() == Wait::kIdle) connection.Close(CloseReason::kStopped);
  }
  if (connections_.empty() && drained_) std::exchange(drained_, nullptr)();
}

void StreamListener::CloseAll() {
  for (Connection& connection : connections_) connection.Close(CloseReason::kStopped);
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

void StreamListener::WaitToAccept() {
  acceptor_.async_wait(Acceptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open()) AcceptReady();
  });
}

void StreamListener::AcceptReady() {
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (connection_count_ >= options_.connections_max) {
      full_ = true;
      WarnRarely("the most connections that are allowed; accepting again when one ends");
      return;
    }
    Fd fd(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      if (configured_.transport() == Transport::kTcp) TakeUrgentInline(fd.get());
      Adopt(std::move(fd));
      continue;
    }
    // ECONNABORTED and the network errors of accept(2) belong to the one peer that vanished.
    if (errno == EAGAIN) break;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      OnAcceptError(errno);
      return;
    }
  }
  WaitToAccept();
}

void StreamListener::OnAcceptError(int errno_value) {
  WarnRarely(
      absl::StrCat(ErrnoError(errno_value, "accept").message(), "; trying again until it works"));
  pause_timer_.expires_after(kAcceptPause);
  pause_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open()) WaitToAccept();
  });
}

void StreamListener::WarnRarely(absl::string_view what) {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now < next_warning_) return;
  next_warning_ = now + kWarningInterval;
  spdlog::warn("{}: {} open: {}", name_, connection_count_, std::string(what));
}

void StreamListener::Adopt(Fd fd) {
  auto* connection = new Connection(*this, NextConnectionId(), std::move(fd));
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
  --connection_count_;
  connections_.erase_and_dispose(connections_.iterator_to(connection),
                                 std::default_delete<Connection>());
  if (full_ && acceptor_.is_open()) {
    full_ = false;
    WaitToAccept();
  }
  if (connections_.empty() && drained_) std::exchange(drained_, nullptr)();
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
