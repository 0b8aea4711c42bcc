#include "runtime/net/stream_acceptor.h"

#include <sys/socket.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/net/bind.h"

namespace rawgate::net {
namespace {

// Connections accepted in one turn of the loop, so that a flood of them does not starve those that
// are served.
constexpr int kAcceptBatch = 64;
// How long to wait before asking again for a descriptor when there was none. Shorter than anybody
// waits for a connection, long enough to cost nothing.
constexpr std::chrono::milliseconds kAcceptPause{50};
// Between two lines of log about accepting: what makes them comes by the thousand.
constexpr std::chrono::seconds kWarningInterval{10};

// Every byte in order, urgent ones included, as RFC 6093 recommends.
void TakeUrgentInline(int fd) {
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on));
}

bool IsScarcity(int errno_value) {
  return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOBUFS ||
         errno_value == ENOMEM;
}

}  // namespace

StreamAcceptor::StreamAcceptor(asio::io_context& loop, std::string name, const Endpoint& address,
                               size_t connections_max, Owner& owner)
    : name_(std::move(name)),
      address_(address),
      connections_max_(connections_max),
      owner_(owner),
      acceptor_(loop.get_executor()),
      pause_timer_(loop.get_executor()) {}

absl::Status StreamAcceptor::Open() {
  absl::StatusOr<BoundSocket> bound = BindStream(address_, picked_port_);
  if (!bound.ok()) return bound.status();
  picked_port_ = bound->endpoint.port();
  uri_ = bound->endpoint.ToUri();
  inherited_ = bound->inherited;
  acceptor_.assign(bound->fd.Release());
  full_ = false;
  Wait();
  return absl::OkStatus();
}

void StreamAcceptor::Close() {
  if (!acceptor_.is_open()) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_timer_.cancel();
  ReleaseAddress(address_, inherited_);
  uri_.clear();
}

void StreamAcceptor::OnRoom() {
  if (!full_ || !acceptor_.is_open()) return;
  full_ = false;
  Wait();
}

void StreamAcceptor::Wait() {
  acceptor_.async_wait(Acceptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open()) AcceptReady();
  });
}

void StreamAcceptor::AcceptReady() {
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (owner_.connection_count() >= connections_max_) {
      full_ = true;
      WarnRarely("the most connections that are allowed; accepting again when one ends");
      return;
    }
    if (const int scarce = owner_.Prepare(); scarce != 0) return Pause(scarce);
    Fd fd(::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      if (address_.transport() != Transport::kUnix) TakeUrgentInline(fd.get());
      owner_.OnAccepted(std::move(fd));
      continue;
    }
    // ECONNABORTED and the network errors of accept(2) belong to the one peer that vanished.
    if (errno == EAGAIN) break;
    if (IsScarcity(errno)) return Pause(errno);
  }
  Wait();
}

void StreamAcceptor::Pause(int errno_value) {
  WarnRarely(
      absl::StrCat(ErrnoError(errno_value, "accept").message(), "; trying again until it works"));
  pause_timer_.expires_after(kAcceptPause);
  pause_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open()) Wait();
  });
}

void StreamAcceptor::WarnRarely(absl::string_view what) {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_warning_) return;
  next_warning_ = now + kWarningInterval;
  spdlog::warn("{}: {} open: {}", name_, owner_.connection_count(), std::string(what));
}

}  // namespace rawgate::net
