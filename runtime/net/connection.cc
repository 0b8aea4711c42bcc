#include "runtime/net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/base/status.h"
#include "runtime/net/peer_name.h"
#include "runtime/net/relay.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::net {
namespace {

bool IsPeerGone(int errno_value) {
  return errno_value == ECONNRESET || errno_value == EPIPE || errno_value == ETIMEDOUT ||
         errno_value == EHOSTUNREACH || errno_value == ENETUNREACH || errno_value == ENOTCONN;
}

size_t TotalSize(std::span<const iovec> parts) {
  size_t total = 0;
  for (const iovec& part : parts) total += part.iov_len;
  return total;
}

// Drops the first `bytes` of `parts`.
void Advance(std::vector<iovec>* parts, size_t bytes) {
  auto part = parts->begin();
  for (; part != parts->end() && bytes >= part->iov_len; ++part) bytes -= part->iov_len;
  parts->erase(parts->begin(), part);
  if (bytes > 0) {
    parts->front().iov_base = static_cast<char*>(parts->front().iov_base) + bytes;
    parts->front().iov_len -= bytes;
  }
}

}  // namespace

Connection::Connection(StreamListener& listener, uint64_t id, Fd fd, Relay* relay)
    : listener_(listener),
      fd_(std::move(fd)),
      relay_(relay),
      id_(id),
      opened_unix_ms_(absl::ToUnixMillis(absl::Now())) {}

// Asked of the kernel each time: an address kept here would cost 128 bytes of every idle
// connection.
Endpoint Connection::peer() const {
  if (relay_ != nullptr) return relay_->peer();
  return Endpoint::PeerOf(listener_.configured().transport(), fd_.get());
}

Endpoint Connection::local() const {
  if (relay_ != nullptr) return relay_->local();
  return Endpoint::LocalOf(listener_.configured().transport(), fd_.get());
}

int Connection::peer_socket() const {
  return relay_ == nullptr ? fd_.get() : relay_->peer_socket();
}

std::string Connection::PeerName() const {
  if (relay_ != nullptr) return relay_->peer_name();
  return PeerNameOf(listener_.configured().transport(), fd_.get());
}

bool Connection::draining() const { return listener_.draining(); }

ReadResult Connection::TryRead(std::span<char> buffer) {
  using Kind = ReadResult::Kind;
  if (closed()) return {Kind::kGone};
  const ssize_t n = ::recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (n > 0) {
    const auto size = static_cast<size_t>(n);
    // A short read took all there was (epoll(7), question 9); only a FIN could have been behind it.
    // A read also ends before an urgent byte, with more behind it.
    readable_ = size == buffer.size() || peer_finished_ || urgent_;
    mid_request_ = true;
    bytes_received_ += size;
    listener_.counters().bytes_received.Add(size);
    listener_.events().Record(listener_.name(), id_, [&] {
      return observe::ChunkReceived{size, observe::Sample(buffer.data(), size)};
    });
    return {Kind::kData, size};
  }
  if (n == 0) {
    const bool broken =
        relay_ != nullptr && (relay_->reset() || (mid_request_ && relay_->cut_off()));
    if (!broken) return {Kind::kEnd};
    Close(CloseReason::kReset, relay_->reset() ? "the peer reset the connection"
                                               : "the TLS stream ended without close_notify");
    return {Kind::kGone};
  }
  if (errno == EAGAIN) {
    readable_ = false;
    return {Kind::kWouldBlock};
  }
  Fail(errno, "recv");
  return {Kind::kGone};
}

asio::awaitable<ReadResult> Connection::Read(std::span<char> buffer) {
  for (;;) {
    if (readable_ || closed()) {
      const ReadResult result = TryRead(buffer);
      if (result.kind == ReadResult::Kind::kData && wait_ == Wait::kStall) SetWait(Wait::kStall);
      if (result.kind != ReadResult::Kind::kWouldBlock) co_return result;
    }
    co_await WaitFor(EPOLLIN);
  }
}

asio::awaitable<bool> Connection::WaitReadable() { return WaitFor(EPOLLIN); }
asio::awaitable<bool> Connection::WaitWritable() { return WaitFor(EPOLLOUT); }

asio::awaitable<bool> Connection::WaitFor(uint32_t events) {
  if (closed()) co_return false;
  if (lent_) listener_.poller_.WatchOnce(fd_.get(), *this, events);
  Waiter waiter{events, {}};
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
      [&](auto handler) {
        waiter.resume = std::move(handler);
        waiter_ = &waiter;
      },
      asio::use_awaitable);
  co_return !closed();
}

void Connection::OnReady(uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & EPOLLRDHUP) != 0) peer_finished_ = true;
  if ((events & EPOLLPRI) != 0) urgent_ = true;
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    hung_up_ = true;
    if (peer_watch_ != nullptr) peer_watch_->Fire();
  }
  if (waiter_ != nullptr && (events & (waiter_->events | EPOLLHUP | EPOLLERR)) != 0) {
    return ResumeWaiter();
  }
  if (parked_ && readable_) listener_.Unpark(*this);
}

void Connection::ResumeWaiter() {
  // Taken out first: the coroutine's frame, where it was, goes on and may end, and this object with
  // it.
  auto resume = std::move(std::exchange(waiter_, nullptr)->resume);
  resume();
}

bool Connection::HasUnread() {
  if (!readable_) return false;
  char byte;
  readable_ = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
  return readable_;
}

ssize_t Connection::TryWrite(std::span<const iovec> parts, int flags) {
  if (closed()) return -1;
  flags |= MSG_DONTWAIT | MSG_NOSIGNAL;
  ssize_t n = 0;
  if (parts.size() == 1) {
    // Costs a few per cent less of an echo than sendmsg(2).
    n = ::send(fd_.get(), parts[0].iov_base, parts[0].iov_len, flags);
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(parts.data());
    message.msg_iovlen = std::min<size_t>(parts.size(), 64);
    n = ::sendmsg(fd_.get(), &message, flags);
  }
  if (n >= 0) {
    CountSent(static_cast<size_t>(n));
    return n;
  }
  if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) return 0;
  Fail(errno, "send");
  return -1;
}

asio::awaitable<bool> Connection::Write(std::span<const iovec> parts) {
  ssize_t sent = TryWrite(parts);
  if (sent < 0) co_return false;
  size_t left = TotalSize(parts) - static_cast<size_t>(sent);
  if (left == 0) co_return true;

  const Wait before = wait_;
  std::vector<iovec> rest(parts.begin(), parts.end());
  Advance(&rest, static_cast<size_t>(sent));
  while (left > 0) {
    SetWait(Wait::kStall);
    if (!co_await WaitWritable()) co_return false;
    sent = TryWrite(rest);
    if (sent < 0) co_return false;
    Advance(&rest, static_cast<size_t>(sent));
    left -= static_cast<size_t>(sent);
  }
  SetWait(before);
  co_return true;
}

asio::awaitable<bool> Connection::Write(absl::string_view bytes) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  co_return co_await Write(std::span<const iovec>(&part, 1));
}

void Connection::SetWait(Wait wait) {
  wait_hook_.unlink();
  wait_ = wait;
  if (wait != Wait::kNone && !closed()) listener_.Enqueue(*this);
}

void Connection::CountReceived(size_t bytes) {
  mid_request_ = true;
  bytes_received_ += bytes;
  listener_.counters().bytes_received.Add(bytes);
  listener_.events().Record(listener_.name(), id_, [&] {
    return observe::ChunkReceived{bytes, ""};
  });
}

void Connection::CountSent(size_t bytes) {
  bytes_sent_ += bytes;
  listener_.counters().bytes_sent.Add(bytes);
}

void Connection::CountRequest(const absl::Status& outcome, absl::Duration duration,
                              const std::function<std::string()>& summary) {
  ++requests_;
  listener_.counters().requests.Add();
  listener_.counters().request_seconds.Observe(duration);
  if (!outcome.ok()) listener_.counters().request_errors.Add();
  listener_.events().Record(listener_.name(), id_, [&] {
    return observe::RequestServed{observe::Summary(summary()),
                                  outcome.ok() ? "" : absl::StatusCodeToString(outcome.code()),
                                  duration};
  });
}

void Connection::Fail(int errno_value, absl::string_view what) {
  Close(IsPeerGone(errno_value) ? CloseReason::kReset : CloseReason::kLocalError,
        ErrnoError(errno_value, what).message());
}

void Connection::Close(CloseReason reason, absl::string_view detail) {
  if (closed()) return;
  const bool decided = gentle_reason_ != CloseReason::kNone;
  reason_ = decided ? gentle_reason_ : reason;
  if (!decided && !detail.empty()) close_detail_ = std::make_unique<std::string>(detail);
  wait_hook_.unlink();
  // Whoever waits learns of it from the loop, not from within this call. The descriptor itself
  // stays open until Finish(), so that its number cannot be taken by another connection while a
  // handler still has it in hand.
  if (waiter_ != nullptr || peer_watch_ != nullptr || parked_) listener_.PostWakeUp(*this);
}

void Connection::WakeUp() {
  if (peer_watch_ != nullptr) peer_watch_->Fire();
  if (waiter_ != nullptr) return ResumeWaiter();
  if (parked_) listener_.Unpark(*this);
}

asio::awaitable<void> Connection::CloseGently(CloseReason reason, absl::string_view detail,
                                              size_t discard_max) {
  if (closed()) co_return;
  // The peer may reset or fall silent meanwhile; that is not why it is closed.
  gentle_reason_ = reason;
  if (!detail.empty()) close_detail_ = std::make_unique<std::string>(detail);
  ::shutdown(fd_.get(), SHUT_WR);
  SetWait(Wait::kHeader);
  size_t discarded = 0;
  while (discarded < discard_max) {
    const ReadResult result = TryRead(StreamListener::Scratch());
    if (result.kind == ReadResult::Kind::kWouldBlock) {
      if (!co_await WaitReadable()) co_return;
      continue;
    }
    if (result.kind != ReadResult::Kind::kData) break;
    discarded += result.size;
  }
  const bool peer_ended = discarded < discard_max;
  if (reason == CloseReason::kNone) {
    reason = peer_ended ? CloseReason::kPeerClosed : CloseReason::kLimit;
  }
  Close(reason);
}

}  // namespace rawgate::net
