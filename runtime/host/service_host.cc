#include "runtime/host/service_host.h"

#include <future>
#include <set>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/host/flags.h"
#include "runtime/host/http_flags.h"
#include "runtime/host/listener_flags.h"
#include "runtime/host/service_books.h"
#include "runtime/host/service_http.h"
#include "runtime/host/tls_flags.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/control_servicer.h"
#include "runtime/rpc/server.h"

namespace rawgate::host {
namespace {

// After the grace everything has been cancelled; what has not ended by then is abandoned.
constexpr absl::Duration kCancelledWorkEnds = absl::Seconds(5);
// Probes are answered until then.
constexpr absl::Duration kLastPages = absl::Seconds(1);

}  // namespace

class ServiceHost::Impl {
 public:
  explicit Impl(Process& process)
      : process_(process),
        loop_(1),
        service_(loop_, process.name(), events_),
        admission_(service_),
        control_(service_, admission_) {
    service_.Add(admission_);
    if (absl::GetFlag(FLAGS_allow_faults)) service_.AllowFaults();
  }

  int Run();

  // Calls `add` for each address of `role` that carries datagrams, or does not. What it refuses, or
  // leaves of the options, is for Check().
  template <typename AddOne>
  void AddListeners(const std::string& role, bool datagrams, const AddOne& add);
  absl::Status AddStreamListener(const NamedEndpoint& listen, ListenerOptions& options,
                                 net::StreamHandler& handler);
  net::DatagramListener* AddDatagramListener(const NamedEndpoint& listen,
                                             net::DatagramHandler& handler,
                                             const net::DatagramOptions& options);

  Process& process_;
  // Those that this object owns; they outlive the listeners.
  std::vector<std::unique_ptr<net::StreamHandler>> stream_handlers_;
  std::vector<std::unique_ptr<net::DatagramHandler>> datagram_handlers_;
  // One thread runs the loop; the hint spares it needless wake-ups.
  boost::asio::io_context loop_;
  observe::EventLog events_;
  net::Service service_;
  rpc::Admission admission_;
  rpc::ControlServicer control_;
  std::vector<grpc::Service*> servicers_;
  ServiceBooks books_{service_};
  // Entries of --listen that have a handler, the names that would have had one, and the first entry
  // that was wrong.
  std::set<std::string> served_;
  std::set<std::string> roles_;
  absl::Status refused_;
  bool require_loopback_ = false;
  // Listeners that let in nobody without a certificate.
  std::set<std::string> guarded_;

 private:
  void Add(const NamedEndpoint& listen, std::unique_ptr<net::Listener> listener);
  absl::Status Check() const;
  absl::Status StartListeners();
  absl::StatusOr<std::unique_ptr<rpc::Server>> StartRpcServer();
  void PrintReady(const std::string& rpc_uri, const http::Server* http);
  // The shutdown order of every service process, whole and only here.
  bool DrainAndStop(rpc::Server& server);
  absl::Status WaitFor(std::future<absl::Status> done, absl::Duration limit);
};

template <typename AddOne>
void ServiceHost::Impl::AddListeners(const std::string& role, bool datagrams, const AddOne& add) {
  roles_.insert(role);
  for (const NamedEndpoint& listen : process_.listen()) {
    if (listen.role != role || net::IsDatagram(listen.endpoint.transport()) != datagrams) continue;
    served_.insert(listen.name);
    ListenerOptions options = listen.options;
    absl::Status status = add(listen, options);
    status = status.ok() ? options.Check() : options.Refuse(status.message());
    refused_.Update(status);
  }
}

void ServiceHost::Impl::Add(const NamedEndpoint& listen, std::unique_ptr<net::Listener> listener) {
  listener->configured_options = listen.options.ToString();
  service_.Add(std::move(listener));
}

absl::Status ServiceHost::Impl::AddStreamListener(const NamedEndpoint& listen,
                                                  ListenerOptions& options,
                                                  net::StreamHandler& handler) {
  const absl::StatusOr<net::StreamOptions> stream = StreamOptionsFor(listen.endpoint, options);
  if (!stream.ok()) return stream.status();
  if (stream->tls != nullptr &&
      stream->tls->files().client_certificates == net::ClientCertificates::kRequire) {
    guarded_.insert(listen.name);
  }
  Add(listen, std::make_unique<net::StreamListener>(loop_, listen.name, listen.endpoint, *stream,
                                                    handler, events_));
  return absl::OkStatus();
}

net::DatagramListener* ServiceHost::Impl::AddDatagramListener(const NamedEndpoint& listen,
                                                              net::DatagramHandler& handler,
                                                              const net::DatagramOptions& options) {
  auto listener = std::make_unique<net::DatagramListener>(
      loop_, listen.name, listen.endpoint, WithRatesFromFlags(options), handler, events_);
  net::DatagramListener* const added = listener.get();
  Add(listen, std::move(listener));
  return added;
}

absl::Status ServiceHost::Impl::Check() const {
  for (const NamedEndpoint& listen : process_.listen()) {
    if (served_.contains(listen.name)) continue;
    return FieldError(
        "listen", "UNKNOWN_LISTENER",
        absl::StrCat("--listen: ", process_.name(), " has no listener \"", listen.role, "\" for ",
                     listen.endpoint.ToUri(), ", only ", absl::StrJoin(roles_, ", ")));
  }
  if (!refused_.ok()) return refused_;
  if (absl::Status flags = CheckListenerFlags(); !flags.ok()) return flags;
  if (absl::GetFlag(FLAGS_rpc_listen).empty()) {
    return FieldError("rpc_listen", "BAD_LISTEN",
                      "--rpc_listen is needed: the gateway reaches a service there, and by nothing "
                      "else");
  }
  absl::Status rpc = CheckBind(process_.rpc_listen(), absl::GetFlag(FLAGS_rpc_tls), "--rpc_tls");
  if (!rpc.ok()) return rpc;
  if (!require_loopback_) return absl::OkStatus();
  for (const NamedEndpoint& listen : process_.listen()) {
    absl::Status raw = CheckBind(listen.endpoint, guarded_.contains(listen.name),
                                 "tls:// with client_certificates=require");
    if (!raw.ok()) return raw;
  }
  return absl::OkStatus();
}

absl::Status ServiceHost::Impl::WaitFor(std::future<absl::Status> done, absl::Duration limit) {
  if (limit == absl::InfiniteDuration()) {
    done.wait();
  } else if (done.wait_for(absl::ToChronoMilliseconds(limit)) != std::future_status::ready) {
    return absl::DeadlineExceededError("not done in time");
  }
  return done.get();
}

absl::Status ServiceHost::Impl::StartListeners() {
  auto done = std::make_shared<std::promise<absl::Status>>();
  service_.Start("", [done](const absl::Status& status) { done->set_value(status); });
  return done->get_future().get();
}

void ServiceHost::Impl::PrintReady(const std::string& rpc_uri, const http::Server* http) {
  auto done = std::make_shared<std::promise<net::ServiceDescription>>();
  service_.Describe([done](net::ServiceDescription now) { done->set_value(std::move(now)); });
  std::vector<std::pair<std::string, std::string>> listeners;
  for (const net::ListenerDescription& listener : done->get_future().get().listeners) {
    listeners.emplace_back(listener.name, listener.bound_uri);
  }
  for (auto& listener : HttpListeners(http)) listeners.push_back(std::move(listener));
  process_.PrintReady(rpc_uri, listeners);
}

absl::StatusOr<std::unique_ptr<rpc::Server>> ServiceHost::Impl::StartRpcServer() {
  const auto credentials = RpcCredentialsFromFlags();
  if (!credentials.ok()) return credentials.status();
  const rpc::CallObservation observation = books_.calls();
  auto server =
      rpc::Server::Start(process_.rpc_listen(), servicers_,
                         absl::GetFlag(FLAGS_rpc_buffers_max_bytes), *credentials, &observation);
  if (!server.ok()) return server.status();
  (*server)->SetServing(true);
  if (!absl::GetFlag(FLAGS_rpc_tls)) {
    spdlog::info("{}: no authentication: whoever reaches it may use {} through it",
                 (*server)->uri(), process_.name());
  }
  return server;
}

bool ServiceHost::Impl::DrainAndStop(rpc::Server& server) {
  server.SetServing(false);
  admission_.BeginShutdown();
  control_.EndWatches();
  const absl::Time until = absl::Now() + process_.grace();
  auto done = std::make_shared<std::promise<absl::Status>>();
  service_.StopForGood(process_.grace(),
                       [done](const absl::Status& status) { done->set_value(status); });
  const bool drained = WaitFor(done->get_future(), process_.grace() + kCancelledWorkEnds).ok();
  if (!drained) spdlog::error("work in progress did not end after it was cancelled");
  admission_.AwaitNoLatecomers(until);
  server.Shutdown(absl::Now() + absl::Seconds(1));
  return drained;
}

int ServiceHost::Impl::Run() {
  if (absl::Status checked = Check(); !checked.ok()) return process_.Fail(checked);
  const auto keep_running = boost::asio::make_work_guard(loop_);
  std::thread loop_thread([this] { loop_.run(); });
  const auto stop_loop = [&] {
    loop_.stop();
    loop_thread.join();
  };

  if (absl::Status started = StartListeners(); !started.ok()) {
    stop_loop();
    return process_.Fail(started);
  }
  auto http = StartServiceHttp(process_.name(), service_, books_);
  if (!http.ok()) {
    stop_loop();
    return process_.Fail(http.status());
  }
  servicers_.push_back(&control_);
  absl::StatusOr<std::unique_ptr<rpc::Server>> server = StartRpcServer();
  if (!server.ok()) {
    stop_loop();
    return process_.Fail(server.status());
  }
  if (absl::Status sockets = process_.CheckSockets(); !sockets.ok()) {
    const int failed = process_.Fail(sockets);
    if (!DrainAndStop(**server)) std::_Exit(failed);
    if (*http != nullptr) (*http)->Stop(kLastPages);
    stop_loop();
    return failed;
  }
  PrintReady((*server)->uri(), http->get());

  process_.WaitForStopSignal(
      [this](const std::shared_ptr<void>& token) { boost::asio::post(loop_, [token] {}); });
  const bool drained = DrainAndStop(**server);
  if (!drained)
    std::_Exit(1);  // Sessions that are still suspended must not be torn apart by destructors.
  if (*http != nullptr) (*http)->Stop(kLastPages);
  stop_loop();
  return 0;
}

ServiceHost::ServiceHost(Process& process) : impl_(std::make_unique<Impl>(process)) {}
ServiceHost::~ServiceHost() = default;

net::Service& ServiceHost::service() { return impl_->service_; }
rpc::Admission& ServiceHost::admission() { return impl_->admission_; }
boost::asio::io_context& ServiceHost::loop() { return impl_->loop_; }

void ServiceHost::AddStreamListeners(const std::string& role, net::StreamHandler& handler) {
  impl_->AddListeners(role, false, [&](const NamedEndpoint& listen, ListenerOptions& options) {
    return impl_->AddStreamListener(listen, options, handler);
  });
}

void ServiceHost::AddStreamListeners(const std::string& role, const MakeStreamHandler& make) {
  impl_->AddListeners(role, false, [&](const NamedEndpoint& listen, ListenerOptions& options) {
    auto handler = make(options);
    if (!handler.ok()) return handler.status();
    net::StreamHandler& owned = *impl_->stream_handlers_.emplace_back(*std::move(handler));
    return impl_->AddStreamListener(listen, options, owned);
  });
}

std::vector<net::DatagramListener*> ServiceHost::AddDatagramListeners(
    const std::string& role, net::DatagramHandler& handler, const net::DatagramOptions& options) {
  std::vector<net::DatagramListener*> added;
  impl_->AddListeners(role, true, [&](const NamedEndpoint& listen, ListenerOptions&) {
    added.push_back(impl_->AddDatagramListener(listen, handler, options));
    return absl::OkStatus();
  });
  return added;
}

std::vector<net::DatagramListener*> ServiceHost::AddDatagramListeners(
    const std::string& role, const MakeDatagramHandler& make, const net::DatagramOptions& options) {
  std::vector<net::DatagramListener*> added;
  impl_->AddListeners(role, true, [&](const NamedEndpoint& listen, ListenerOptions& given) {
    auto handler = make(given);
    if (!handler.ok()) return handler.status();
    net::DatagramHandler& owned = *impl_->datagram_handlers_.emplace_back(*std::move(handler));
    added.push_back(impl_->AddDatagramListener(listen, owned, options));
    return absl::OkStatus();
  });
  return added;
}

void ServiceHost::RequireLoopbackUnlessAllowed() { impl_->require_loopback_ = true; }

void ServiceHost::AddRpcService(grpc::Service& servicer) { impl_->servicers_.push_back(&servicer); }

int ServiceHost::Run() { return impl_->Run(); }

}  // namespace rawgate::host
