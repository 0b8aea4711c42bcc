#include "gateway/forwarder.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include <boost/asio/ssl/context.hpp>
#include <openssl/ssl.h>

#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/clock.h"
#include "gateway/forwarded_call.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

constexpr std::chrono::seconds kSweepInterval{1};
// Of all lanes together, or one of each if there are more. With four a gRPC service behind the
// gateway answers as many calls as it does without one.
constexpr int kConnectionsToReplica = 4;
// Of the gateway's own services: most are watches, of which there are thousands, and whoever lags
// behind is told what he missed.
constexpr uint32_t kOwnAnswerWindow = 64 << 10;

// Of one lane.
int ConnectionsOf(const ForwarderOptions& options) {
  return std::max(1, kConnectionsToReplica / options.lanes);
}

std::vector<std::string> NamesOf(const std::vector<std::shared_ptr<UpstreamSet>>& backends) {
  std::vector<std::string> names;
  for (const auto& backend : backends) names.push_back(backend->name());
  return names;
}

// Both ends of a connection within the process, non-blocking.
absl::StatusOr<std::pair<Fd, Fd>> SocketPair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    return ErrnoError(errno, "socketpair");
  return std::make_pair(Fd(ends[0]), Fd(ends[1]));
}

}  // namespace

struct Forwarder::Lane {
  Lane(const ForwarderOptions& options, const RouteTable& routes, Drain& drain, CallBooks& books,
       rpc::CallTable& table, const AccessGate& gate, CallShares& shares,
       ClientConnections& connections)
      : context{.loop = loop,
                .deadlines = deadlines,
                .options = options,
                .routes = routes,
                .drain = drain,
                .books = books,
                .table = table,
                .gate = gate,
                .shares = shares,
                .connections = connections} {}

  http2::Loop loop;
  Deadlines deadlines{loop};
  CallContext context;
  absl::flat_hash_set<std::unique_ptr<ClientSession>> sessions;
  // Of the users by whom the calls have been admitted.
  uint64_t edition = 0;
  std::thread thread;
};

Forwarder::Forwarder(const std::vector<std::shared_ptr<UpstreamSet>>& backends,
                     const ForwarderOptions& options, const ClientLimits& limits,
                     std::shared_ptr<net::TlsContext> tls, Drain& drain, CallBooks& books,
                     const AccessGate& gate, ClientConnections& connections)
    : options_(options),
      limits_(limits),
      tls_(std::move(tls)),
      gate_(gate),
      connections_(connections),
      routes_(NamesOf(backends)) {
  for (int i = 0; i < options_.lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(options_, routes_, drain, books, books.lane(i), gate,
                                            shares_, connections));
    CallContext& context = lanes_.back()->context;
    for (const auto& backend : backends)
      context.pools.push_back(
          std::make_unique<UpstreamPool>(context.loop, backend, ConnectionsOf(options_)));
  }
}

Forwarder::~Forwarder() = default;

void Forwarder::Start(ServeOwn serve_own) {
  serve_own_ = std::move(serve_own);
  for (const auto& lane : lanes_) {
    const auto dial = [this]() -> absl::StatusOr<std::unique_ptr<http2::Wire>> {
      auto ends = SocketPair();
      if (!ends.ok()) return ends.status();
      serve_own_(std::move(ends->second));
      return std::make_unique<http2::Wire>(std::move(ends->first));
    };
    lane->context.own =
        std::make_unique<UpstreamPool>(lane->loop, "gateway",
                                       Upstream::Options{.dial = dial,
                                                         .authority = "localhost",
                                                         .check_health = false,
                                                         .answer_window = kOwnAnswerWindow},
                                       ConnectionsOf(options_));
    lane->loop.Every(kSweepInterval, [this, &lane = *lane] { Sweep(lane); });
    lane->thread = std::thread([&lane = *lane] { lane.loop.Run(); });
  }
}

void Forwarder::Adopt(Fd fd, ClientSession::Identity identity,
                      std::shared_ptr<http2::Traffic> traffic) {
  Lane& lane = *lanes_[next_lane_++ % lanes_.size()];
  // A std::function can be copied, so what it holds must be, too.
  auto shared = std::make_shared<Fd>(std::move(fd));
  lane.loop.Post([this, &lane, shared, identity = std::move(identity), traffic] {
    Serve(lane, std::move(*shared), identity, traffic);
  });
}

absl::StatusOr<Fd> Forwarder::ConnectWithin() {
  auto ends = SocketPair();
  if (!ends.ok()) return ends.status();
  Adopt(std::move(ends->second), {.peer = "http", .source = "", .trusted = true},
        std::make_shared<http2::Traffic>());
  return std::move(ends->first);
}

void Forwarder::Serve(Lane& lane, Fd fd, ClientSession::Identity identity,
                      std::shared_ptr<http2::Traffic> traffic) {
  http2::SslPointer ssl(nullptr, SSL_free);
  if (tls_ != nullptr && !identity.trusted) {
    ssl.reset(SSL_new(tls_->Current()->native_handle()));
    SSL_set_accept_state(ssl.get());
  }
  const uint64_t id = identity.id;
  auto session = std::make_unique<ClientSession>(
      lane.context, std::move(identity),
      std::make_unique<http2::Wire>(std::move(fd), std::move(ssl)), std::move(traffic),
      [this, &lane, id](ClientSession& ended) {
        if (id != 0) connections_.Remove(id);
        const auto found = lane.sessions.find(&ended);
        // Its calls, which refer to it, go at the end of this turn as well, and before it.
        lane.loop.Bury(
            std::shared_ptr<ClientSession>(std::move(lane.sessions.extract(found).value())));
      });
  lane.sessions.insert(std::move(session));
}

void Forwarder::Sweep(Lane& lane) {
  for (const auto& pool : lane.context.pools) pool->Sweep();
  lane.context.own->Sweep();
  for (const auto& session : lane.sessions) session->Sweep(limits_);
  // Read before who may do what is: what changes meanwhile is seen at the next look.
  if (std::exchange(lane.edition, gate_.edition()) == lane.edition) return;
  for (ForwardedCall* call : lane.context.calls) call->EndIfForbidden();
}

void Forwarder::OnEveryLane(const std::function<void(Lane&)>& task) {
  for (const auto& lane : lanes_) lane->loop.Post([task, &lane = *lane] { task(lane); });
}

void Forwarder::AskLoops(const std::shared_ptr<void>& token) {
  OnEveryLane([token](Lane&) {});
}

void Forwarder::AskToGo() {
  OnEveryLane([](Lane& lane) {
    for (const auto& session : lane.sessions) session->AskToGo();
  });
}

void Forwarder::EndWatches() {
  OnEveryLane([](Lane& lane) {
    for (ForwardedCall* call : lane.context.calls) {
      if (call->is_watch()) call->End(DrainingError());
    }
  });
}

void Forwarder::EndAll() {
  OnEveryLane([](Lane& lane) {
    for (ForwardedCall* call : lane.context.calls) {
      if (!call->is_own()) call->End(DrainingError());
    }
    for (const auto& session : lane.sessions) session->GoAway();
  });
}

void Forwarder::Stop(absl::Duration last_words) {
  const absl::Time due = absl::Now() + last_words;
  for (const auto& lane : lanes_) {
    if (!lane->thread.joinable()) continue;
    for (bool some = true; some && absl::Now() < due;) {
      absl::BlockingCounter looked(1);
      lane->loop.Post([&] {
        some = !lane->sessions.empty();
        looked.DecrementCount();
      });
      looked.Wait();
      if (some) absl::SleepFor(absl::Milliseconds(1));
    }
    lane->loop.Post([&lane = *lane] {
      for (const auto& session : lane.sessions) session->End("the gateway is going");
    });
    lane->loop.Post([&lane = *lane] { lane.loop.Stop(); });
    lane->thread.join();
  }
}

}  // namespace rawgate::gateway
