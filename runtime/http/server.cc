#include "runtime/http/server.h"

#include <algorithm>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ssl/context.hpp>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/http/connection.h"
#include "runtime/net/bind.h"
#include "runtime/net/source_counts.h"

namespace rawgate::http {
namespace {

using namespace std::chrono_literals;
using Acceptor =
    asio::basic_socket_acceptor<asio::generic::stream_protocol, asio::io_context::executor_type>;

// How long to wait where none can be accepted.
constexpr auto kNextAccept = 100ms;
constexpr absl::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\n"
    "connection: close\r\n\r\n";

net::Endpoint LocalOf(StreamSocket& socket, const net::Endpoint& bound) {
  net::Endpoint local = bound;
  socklen_t size = net::Endpoint::capacity();
  if (::getsockname(socket.native_handle(), local.data(), &size) == 0) local.set_size(size);
  return local;
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, FrontRules rules, Handler handler)
      : state_{.options = std::move(options),
               .rules = std::move(rules),
               .handler = std::move(handler)} {
    state_.free_a_body = [this](const Connection& asker) { return FreeABody(asker); };
  }
  ~Impl() { Stop(absl::ZeroDuration()); }

  // Before Start().
  absl::StatusOr<std::string> Listen(const net::Endpoint& address);
  void Start();
  void Stop(absl::Duration grace);

 private:
  struct Listener {
    net::Endpoint bound;
    Acceptor acceptor;
    asio::steady_timer retry;
    asio::generic::stream_protocol::endpoint peer = {};
  };

  void Run();
  void Accept(Listener& listener);
  void OnAccepted(Listener& listener, error_code error, StreamSocket socket);
  void Serve(const Listener& listener, StreamSocket socket);
  // Null when there is no certificate.
  std::unique_ptr<ByteStream> StreamOf(StreamSocket socket) const;
  bool HasPlaceFor(const std::optional<net::SourceNetwork>& source);
  void Refuse(StreamSocket socket) const;
  // Closes the connection that waits longest for a request; false when none does.
  bool CloseOneIdle();
  bool FreeABody(const Connection& asker);
  void OnError(absl::string_view where, absl::string_view what);
  void BeginDrain();
  void CloseAll();
  void Forget(const std::shared_ptr<Connection>& connection,
              const std::optional<net::SourceNetwork>& source);

  ServerState state_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<std::shared_ptr<Connection>> connections_;
  net::SourceCounts sources_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::promise<void> idle_;
  LogLimit log_limit_;
  std::thread thread_;
};

absl::StatusOr<std::string> Server::Impl::Listen(const net::Endpoint& address) {
  if (net::IsDatagram(address.transport())) {
    return FieldError("http_listen", "BAD_LISTEN",
                      absl::StrCat("HTTP is not served over ", address.ToUri()));
  }
  absl::StatusOr<net::BoundSocket> bound = net::BindStream(address);
  if (!bound.ok()) return bound.status();
  Acceptor acceptor(state_.loop);
  acceptor.assign(asio::generic::stream_protocol(address.family(), 0), bound->fd.Release());
  listeners_.push_back(std::make_unique<Listener>(
      Listener{bound->endpoint, std::move(acceptor), asio::steady_timer(state_.loop)}));
  return bound->endpoint.ToUri();
}

void Server::Impl::Start() {
  work_.emplace(state_.loop.get_executor());
  for (const auto& listener : listeners_) Accept(*listener);
  thread_ = std::thread([this] { Run(); });
}

void Server::Impl::OnError(absl::string_view where, absl::string_view what) {
  if (const auto held_back = log_limit_.Take(); held_back.has_value()) {
    spdlog::error("http: {}: {} ({} more like it)", std::string(where), std::string(what),
                  *held_back);
  }
}

// What libraries throw, for want of memory above all, ends what it was about and nothing else.
void Server::Impl::Run() {
  for (;;) {
    try {
      state_.loop.run();
      return;
    } catch (const std::exception& error) {
      OnError("loop", error.what());
    }
  }
}

void Server::Impl::Accept(Listener& listener) {
  listener.acceptor.async_accept(listener.peer,
                                 [this, &listener](error_code error, StreamSocket socket) {
                                   OnAccepted(listener, error, std::move(socket));
                                 });
}

void Server::Impl::OnAccepted(Listener& listener, error_code error, StreamSocket socket) {
  if (state_.draining) return;
  if (!error) {
    try {
      Serve(listener, std::move(socket));
    } catch (const std::exception& thrown) {
      state_.counters().Of(Turned::kError).Add();
      OnError("accept", thrown.what());
    }
    return Accept(listener);
  }
  if (error == asio::error::connection_aborted) return Accept(listener);
  // Out of descriptors or memory: those that are being served end, and then it goes on.
  if (const auto held_back = log_limit_.Take(); held_back.has_value()) {
    spdlog::warn("http: accept: {} ({} more like it)", error.message(), *held_back);
  }
  CloseOneIdle();
  listener.retry.expires_after(kNextAccept);
  listener.retry.async_wait([this, &listener](error_code) {
    if (!state_.draining) Accept(listener);
  });
}

bool Server::Impl::HasPlaceFor(const std::optional<net::SourceNetwork>& source) {
  if (source.has_value() && sources_.Of(*source) >= state_.options.connections_per_source_max) {
    state_.counters().Of(Turned::kSource).Add();
    return false;
  }
  if (connections_.size() < state_.options.connections_max) return true;
  const bool closed = CloseOneIdle();
  state_.counters().Of(closed ? Turned::kEvicted : Turned::kFull).Add();
  return closed;
}

void Server::Impl::Refuse(StreamSocket socket) const {
  if (state_.options.tls) return;
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(kFull.data(), kFull.size()), ignored);
}

std::unique_ptr<ByteStream> Server::Impl::StreamOf(StreamSocket socket) const {
  if (!state_.options.tls) return MakePlainStream(std::move(socket));
  auto context = state_.options.tls();
  return context == nullptr ? nullptr : MakeTlsStream(std::move(socket), std::move(context));
}

void Server::Impl::Serve(const Listener& listener, StreamSocket socket) {
  const net::Endpoint local = LocalOf(socket, listener.bound);
  const net::Endpoint from(listener.bound.transport(), listener.peer.data(),
                           static_cast<socklen_t>(listener.peer.size()));
  const auto source = net::BoundedSource(from);
  if (!HasPlaceFor(source)) return Refuse(std::move(socket));
  std::unique_ptr<ByteStream> stream = StreamOf(std::move(socket));
  if (stream == nullptr) return;
  Client client;
  client.peer = from.ToUri();
  auto connection =
      std::make_shared<Connection>(state_, std::move(stream), local, std::move(client));
  connections_.push_back(connection);
  if (source.has_value()) sources_.Add(*source);
  state_.counters().connections_opened.Add();
  state_.counters().connections_open.Add();
  absl::Cleanup forget = [&] { Forget(connection, source); };
  asio::co_spawn(state_.loop, connection->Run(),
                 [this, connection, source](const std::exception_ptr& thrown) {
                   if (thrown) {
                     state_.counters().Of(Turned::kError).Add();
                     OnError("connection", "ended by an exception");
                   }
                   connection->Close();
                   Forget(connection, source);
                 });
  std::move(forget).Cancel();
}

bool Server::Impl::FreeABody(const Connection& asker) {
  Connection* oldest = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->body_since().has_value()) continue;
    if (oldest == nullptr || *connection->body_since() < *oldest->body_since()) {
      oldest = connection.get();
    }
  }
  if (oldest == nullptr || oldest == &asker) return false;
  state_.counters().Of(Turned::kBody).Add();
  oldest->CloseForItsBody();
  return true;
}

bool Server::Impl::CloseOneIdle() {
  Connection* oldest = nullptr;
  for (const auto& connection : connections_) {
    if (!connection->idle_since().has_value()) continue;
    if (oldest == nullptr || *connection->idle_since() < *oldest->idle_since()) {
      oldest = connection.get();
    }
  }
  if (oldest != nullptr) oldest->Close();
  return oldest != nullptr;
}

void Server::Impl::Forget(const std::shared_ptr<Connection>& connection,
                          const std::optional<net::SourceNetwork>& source) {
  const auto found = std::find(connections_.begin(), connections_.end(), connection);
  if (found == connections_.end()) return;
  connections_.erase(found);
  if (source.has_value()) sources_.Remove(*source);
  state_.counters().connections_open.Subtract();
  if (state_.draining && connections_.empty()) idle_.set_value();
}

void Server::Impl::BeginDrain() {
  state_.draining = true;
  for (const auto& listener : listeners_) {
    error_code ignored;
    listener->acceptor.close(ignored);
    listener->retry.cancel();
  }
  if (connections_.empty()) return idle_.set_value();
  for (const auto& connection : connections_) connection->OnDrain();
}

void Server::Impl::CloseAll() {
  for (const auto& connection : connections_) connection->Close();
}

void Server::Impl::Stop(absl::Duration grace) {
  if (!thread_.joinable()) return;
  std::future<void> idle = idle_.get_future();
  asio::post(state_.loop, [this] { BeginDrain(); });
  if (grace == absl::InfiniteDuration()) {
    idle.wait();
  } else {
    idle.wait_for(absl::ToChronoMilliseconds(grace));
  }
  asio::post(state_.loop, [this] { CloseAll(); });
  idle.wait();
  // Nothing is posted any more; what was is run before the loop, now out of work, ends.
  state_.gate->Close();
  work_.reset();
  thread_.join();
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const std::vector<net::Endpoint>& addresses,
                                                      ServerOptions options, Handler handler) {
  absl::StatusOr<FrontRules> rules = FrontRules::Make(options.hosts, options.origins);
  if (!rules.ok()) return rules.status();
  auto impl = std::make_unique<Impl>(std::move(options), *std::move(rules), std::move(handler));
  std::vector<std::string> uris;
  for (const net::Endpoint& address : addresses) {
    absl::StatusOr<std::string> uri = impl->Listen(address);
    if (!uri.ok()) return uri.status();
    uris.push_back(*std::move(uri));
  }
  impl->Start();
  std::unique_ptr<Server> server(new Server(std::move(impl)));
  server->uris_ = std::move(uris);
  return server;
}

void Server::Stop(absl::Duration grace) { impl_->Stop(grace); }

}  // namespace rawgate::http
