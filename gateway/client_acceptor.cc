#include "gateway/client_acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/net/bind.h"

namespace rawgate::gateway {
namespace {

// Accepted in one turn, so that ends are noticed in between.
constexpr int kAcceptBatch = 64;
// How long to wait before asking again for a descriptor when there was none.
constexpr std::chrono::milliseconds kAcceptPause{50};
// Between two lines of log about accepting: what makes them comes by the thousand.
constexpr std::chrono::seconds kWarningInterval{10};
// What clients leave to everything else: connections to services, resolvers, files.
constexpr rlim_t kDescriptorsForOthers = 64;
constexpr rlim_t kShareForOthers = 4;

// Numbers from this one on are not for clients. The kernel gives the least that is free, so that
// with such a one only those are left.
rlim_t DescriptorsForClients() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return RLIM_INFINITY;
  return limit.rlim_cur - std::min(kDescriptorsForOthers, limit.rlim_cur / kShareForOthers);
}

// Empty where the peer is gone already.
std::string PeerOf(int fd, const net::Endpoint& listener, net::Endpoint* peer) {
  if (listener.transport() == net::Transport::kUnix) {
    ucred credentials{};
    socklen_t length = sizeof(credentials);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return "";
    return absl::StrCat("unix:pid=", credentials.pid, ",uid=", credentials.uid);
  }
  sockaddr_storage address{};
  socklen_t length = sizeof(address);
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return "";
  *peer = net::Endpoint(net::Transport::kTcp, reinterpret_cast<sockaddr*>(&address), length);
  return peer->ToUri();
}

}  // namespace

ClientAcceptor::~ClientAcceptor() { CloseListeners(); }

absl::Status ClientAcceptor::Listen(std::string name, const net::Endpoint& address, bool tls) {
  absl::StatusOr<net::BoundSocket> bound = net::BindStream(address);
  if (!bound.ok()) return bound.status();
  uris_.push_back(bound->endpoint.ToUri());
  connections_.AddListener(name);
  listeners_.push_back({std::move(name), bound->endpoint, std::move(bound->fd), tls});
  return absl::OkStatus();
}

absl::Status ClientAcceptor::Start(Handover handover) {
  handover_ = std::move(handover);
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  stop_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_ || !stop_) return ErrnoError(errno, "epoll_create1");
  Watch(EPOLL_CTL_ADD, stop_.get(), 0, EPOLLIN);
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if (!Watch(EPOLL_CTL_ADD, listeners_[i].fd.get(), kListeners + i, EPOLLIN))
      return ErrnoError(errno, "epoll_ctl");
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void ClientAcceptor::Stop() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  // An eventfd takes this, unless it has been given it 2^64 times.
  if (::write(stop_.get(), &one, sizeof(one)) != sizeof(one)) std::abort();
  thread_.join();
  CloseListeners();
}

void ClientAcceptor::CloseListeners() {
  for (Listener& listener : listeners_) {
    // While this one is open nobody else binds the path; afterwards the file may be another's.
    if (listener.fd && listener.endpoint.transport() == net::Transport::kUnix)
      ::unlink(listener.endpoint.path().c_str());
    listener.fd.Reset();
  }
}

bool ClientAcceptor::Watch(int operation, int fd, uint64_t about, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = about;
  return ::epoll_ctl(epoll_.get(), operation, fd, &event) == 0;
}

void ClientAcceptor::Run() {
  std::array<epoll_event, 256> events;
  while (!stopped_) {
    const int wait = paused_ ? static_cast<int>(kAcceptPause.count()) : -1;
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait);
    for (int i = 0; i < count; ++i) {
      OnEvent(events[static_cast<size_t>(i)].data.u64);
    }
    ResumeIfDue();
  }
}

void ClientAcceptor::OnEvent(uint64_t about) {
  if (about == 0) {
    stopped_ = true;
  } else if (!paused_) {
    AcceptBatch(listeners_[about - kListeners]);
  }
}

void ClientAcceptor::AcceptBatch(const Listener& listener) {
  for (int i = 0; i < kAcceptBatch && AcceptOne(listener); ++i) {
  }
}

bool ClientAcceptor::AcceptOne(const Listener& listener) {
  if (connections_.size() >= limits_.connections_max) {
    Pause("the most connections that are allowed; accepting again when one ends",
          std::chrono::steady_clock::now() + kAcceptPause);
    return false;
  }
  // The least that is free: what accept(2) would give.
  const Fd next(::fcntl(stop_.get(), F_DUPFD_CLOEXEC, 0));
  if (next && static_cast<rlim_t>(next.get()) >= DescriptorsForClients()) {
    PauseFor(EMFILE);
    return false;
  }
  Fd fd(::accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    Adopt(listener, std::move(fd));
    return true;
  }
  if (errno == EAGAIN) return false;
  if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
    PauseFor(errno);
    return false;
  }
  // ECONNABORTED and the network errors of accept(2) belong to the one peer that vanished.
  return true;
}

void ClientAcceptor::Adopt(const Listener& listener, Fd fd) {
  net::Endpoint address;
  ClientConnection connection;
  connection.peer = PeerOf(fd.get(), listener.endpoint, &address);
  if (connection.peer.empty()) return;
  if (listener.endpoint.transport() != net::Transport::kUnix) {
    connection.source = net::BoundedSource(address);
    constexpr int kOn = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn));
  }
  if (connection.source.has_value() &&
      connections_.CountOf(*connection.source) >= limits_.connections_per_source_max) {
    return;
  }
  connection.id = net::NextConnectionId();
  connection.listener = listener.name;
  connection.transport = listener.endpoint.transport();
  connection.tls = listener.tls;
  connection.open_time = absl::Now();
  connection.fd = fd.get();
  connection.traffic = std::make_shared<http2::Traffic>();
  connections_.Add(connection);
  handover_(std::move(fd), connection);
}

void ClientAcceptor::PauseFor(int errno_value) {
  Pause(absl::StrCat(ErrnoError(errno_value, "accept").message(), "; trying again until it works"),
        std::chrono::steady_clock::now() + kAcceptPause);
}

void ClientAcceptor::Pause(absl::string_view why, SteadyTime until) {
  paused_ = true;
  paused_until_ = until;
  WatchListeners(0);
  const SteadyTime now = std::chrono::steady_clock::now();
  if (now < next_warning_) return;
  next_warning_ = now + kWarningInterval;
  spdlog::warn("{} clients connected: {}", connections_.size(), std::string(why));
}

void ClientAcceptor::ResumeIfDue() {
  if (!paused_) return;
  if (std::chrono::steady_clock::now() < paused_until_) return;
  paused_ = false;
  WatchListeners(EPOLLIN);
}

void ClientAcceptor::WatchListeners(uint32_t events) {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    Watch(EPOLL_CTL_MOD, listeners_[i].fd.get(), kListeners + i, events);
  }
}

}  // namespace rawgate::gateway
