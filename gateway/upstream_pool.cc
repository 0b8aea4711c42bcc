#include "gateway/upstream_pool.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/backend_error.h"
#include "gateway/target.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

// "127.0.0.1:50061" of "ipv4:127.0.0.1:50061".
std::string AuthorityOf(absl::string_view address) {
  if (absl::StartsWith(address, "unix")) return "localhost";
  if (!absl::ConsumePrefix(&address, "ipv4:")) absl::ConsumePrefix(&address, "ipv6:");
  return std::string(address);
}

// "echo" of "echo:50061", "::1" of "[::1]:50061".
std::string HostOf(absl::string_view authority) {
  if (absl::ConsumePrefix(&authority, "["))
    return std::string(authority.substr(0, authority.find(']')));
  return std::string(authority.substr(0, authority.rfind(':')));
}

absl::StatusOr<Fd> BeginToConnect(const std::string& address) {
  const absl::StatusOr<net::Endpoint> endpoint = EndpointOf(address);
  if (!endpoint.ok()) return endpoint.status();
  Fd fd(::socket(endpoint->family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return ErrnoError(errno, "socket");
  // Refused by Unix sockets, which have no such delay.
  constexpr int kOn = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn));
  if (::connect(fd.get(), endpoint->data(), endpoint->size()) != 0 && errno != EINPROGRESS)
    return ErrnoError(errno, "connect");
  return fd;
}

}  // namespace

UpstreamPool::UpstreamPool(http2::Loop& loop, std::shared_ptr<UpstreamSet> set, int connections)
    : loop_(loop), name_(set->name()), set_(std::move(set)), connections_(connections) {
  subscription_ = set_->Subscribe(
      [this](const UpstreamSet::State& state) { loop_.Post([this, state] { Follow(state); }); });
}

UpstreamPool::UpstreamPool(http2::Loop& loop, std::string name, const Upstream::Options& only,
                           int connections)
    : loop_(loop), name_(std::move(name)), connections_(connections) {
  for (int i = 0; i < connections_; ++i) {
    upstreams_.emplace("", std::make_unique<Upstream>(loop_, only, [this] { OnChanged(); }));
  }
}

UpstreamPool::~UpstreamPool() {
  if (set_ != nullptr) set_->Unsubscribe(subscription_);
}

Upstream::Options UpstreamPool::OptionsFor(const std::string& address) const {
  const std::string authority =
      set_->authority().empty() ? AuthorityOf(address) : set_->authority();
  Upstream::Options options{.dial = nullptr, .authority = authority};
  if (set_->tls() != nullptr) options.scheme = "https";
  options.dial = [address, host = HostOf(authority),
                  tls = set_->tls()]() -> absl::StatusOr<std::unique_ptr<http2::Wire>> {
    absl::StatusOr<Fd> fd = BeginToConnect(address);
    if (!fd.ok()) return fd.status();
    http2::SslPointer ssl(nullptr, nullptr);
    if (tls != nullptr) {
      ssl = tls->NewSsl(host);
      if (ssl == nullptr) return absl::InvalidArgumentError("no certificate could be for it");
    }
    return std::make_unique<http2::Wire>(*std::move(fd), std::move(ssl));
  };
  return options;
}

void UpstreamPool::Follow(const UpstreamSet::State& state) {
  leaving_ = state.leaving;
  for (auto it = upstreams_.begin(); it != upstreams_.end();) {
    if (std::find(state.addresses.begin(), state.addresses.end(), it->first) !=
        state.addresses.end()) {
      ++it;
      continue;
    }
    retired_.push_back(std::move(it->second));
    it = upstreams_.erase(it);
    retired_.back()->Retire();
  }
  for (const std::string& address : state.addresses) {
    if (upstreams_.contains(address)) continue;
    for (int i = 0; i < connections_; ++i) {
      upstreams_.emplace(
          address, std::make_unique<Upstream>(loop_, OptionsFor(address), [this] { OnChanged(); }));
    }
  }
  expecting_ = state.expecting;
  if (expecting_) {
    for (const auto& [address, upstream] : upstreams_) upstream->LookNow();
  }
  OnChanged();
}

void UpstreamPool::OnChanged() {
  serving_.clear();
  for (const auto& [address, upstream] : upstreams_) {
    if (upstream->serving()) serving_.push_back(upstream.get());
  }
  if (!serving_.empty()) expecting_ = false;
  if (waiters_.empty() || std::exchange(waking_, true)) return;
  // Not here, where a connection may be in the middle of its end.
  loop_.Post([this] { WakeWaiters(); });
}

void UpstreamPool::WakeWaiters() {
  waking_ = false;
  decltype(waiters_) woken;
  woken.swap(waiters_);
  while (!woken.empty()) {
    Waiter& waiter = woken.front();
    woken.pop_front();
    waiter.OnUpstreams();
  }
}

Upstream* UpstreamPool::Next(bool unary) {
  if (serving_.empty()) return nullptr;
  return serving_[(unary ? next_unary_ : next_stream_)++ % serving_.size()];
}

bool UpstreamPool::MayWait() {
  for (const auto& [address, upstream] : upstreams_) upstream->LookForCall();
  return expecting_ || std::any_of(upstreams_.begin(), upstreams_.end(),
                                   [](const auto& each) { return each.second->trying(); });
}

grpc::Status UpstreamPool::Failure() const {
  if (leaving_) return rpc::ToGrpc(DrainingError());
  std::string why = "it has no address";
  for (const auto& [address, upstream] : upstreams_) why = upstream->error();
  return StatusForClient(grpc::Status(grpc::StatusCode::UNAVAILABLE, why), name_);
}

void UpstreamPool::Sweep() {
  for (const auto& [address, upstream] : upstreams_) upstream->Sweep();
  for (const auto& upstream : retired_) upstream->Sweep();
  std::erase_if(retired_, [](const auto& upstream) { return upstream->idle(); });
}

}  // namespace rawgate::gateway
