#include "gateway/replica.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/server.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // A service that comes back is found within a second.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Also how long one attempt may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // A restarted container has another address.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  // The environment's http_proxy is for the way out, not for our own services.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Finds out about a machine that went without a word. Servers of ours welcome one ping every 20
  // s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, rpc::kLookaheadBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, rpc::kBackendMetadataBytesMax);
  // Services of ours compress nothing; without its filters each message takes a shorter way.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  return arguments;
}

std::shared_ptr<grpc::Channel> OpenChannel(
    const std::string& target, const std::string& authority,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments = Arguments();
  // A gRPC 1.51.1 that begins a stream again, as on a GOAWAY, may lose a message of it, or crash.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  if (!authority.empty()) arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, authority);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

}  // namespace

// One WatchServices stream.
class Replica::Watch final : public grpc::ClientReadReactor<control::v1::WatchServicesResponse> {
 public:
  explicit Watch(Replica& replica) : replica_(replica) {
    replica_.control_->async()->WatchServices(&context_, &request_, this);
    StartRead(&update_);
  }
  void Start() { StartCall(); }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone() follows
    replica_.OnUpdate(update_);
    StartRead(&update_);
  }
  void OnDone(const grpc::Status& status) override {
    // Its share of the channel goes first. Whoever waits in Stop() may then drop the last one,
    // which would end the process here: gRPC cannot take its last channel down on a thread of its
    // own.
    Replica& replica = replica_;
    replica.ForgetWatch();
    delete this;
    replica.OnWatchEnd(status);
  }

 private:
  Replica& replica_;
  grpc::ClientContext context_;
  const control::v1::WatchServicesRequest request_;
  control::v1::WatchServicesResponse update_;
};

Replica::Replica(Place place, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                 Observer observer)
    : place_(std::move(place)),
      observer_(std::move(observer)),
      control_(control::v1::ControlService::NewStub(
          OpenChannel(place_.address, place_.authority, credentials))) {
  service_.set_name(place_.name);
  service_.set_address(place_.address);
  service_.set_desired_state(control::v1::DESIRED_STATE_RUNNING);
  service_.set_state(control::v1::SERVICE_STATE_UNREACHABLE);
  *service_.mutable_state_time() = rpc::ToProto(absl::Now());
}

Replica::~Replica() = default;

void Replica::Start() {
  {
    absl::MutexLock lock(&mutex_);
    running_ = true;
  }
  OpenWatch();
}

void Replica::Stop() {
  std::shared_ptr<grpc::Alarm> retry;
  {
    absl::MutexLock lock(&mutex_);
    if (!running_) return;
    stopping_ = true;
    if (watch_ != nullptr) watch_->Cancel();
    retry = retry_;
  }
  if (retry != nullptr) retry->Cancel();
  absl::MutexLock lock(&mutex_);
  while (running_) ended_.Wait(&mutex_);
}

control::v1::Service Replica::service() const {
  absl::MutexLock lock(&mutex_);
  return service_;
}

std::string Replica::instance() const {
  absl::MutexLock lock(&mutex_);
  return service_.instance();
}

bool Replica::reachable() const {
  absl::MutexLock lock(&mutex_);
  return service_.state() != control::v1::SERVICE_STATE_UNREACHABLE;
}

bool Replica::watchable() const {
  absl::MutexLock lock(&mutex_);
  return !leaving_ && service_.state() != control::v1::SERVICE_STATE_UNREACHABLE;
}

bool Replica::answered() const {
  absl::MutexLock lock(&mutex_);
  return answered_;
}

void Replica::OpenWatch() {
  auto* watch = new Watch(*this);  // deletes itself in OnDone()
  {
    absl::MutexLock lock(&mutex_);
    watch_ = watch;
    // Started all the same, so that its end is told like any other's.
    if (stopping_) watch->Cancel();
  }
  watch->Start();
}

void Replica::OnUpdate(const control::v1::WatchServicesResponse& update) {
  // One stream's messages, and its end, come one after another.
  bool found = false;
  for (const control::v1::Service& service : update.services()) {
    if (service.name() != name()) continue;
    control::v1::Service told = service;
    told.set_address(address());
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      service_ = told;
      answered_ = true;
      leaving_ = false;
    }
    observer_(told);
    found = true;
  }
  if (!found && !update.services().empty()) OnStranger(update.services(0).name());
}

void Replica::OnStranger(const std::string& stranger) {
  const std::string error = absl::StrCat(address(), " serves ", observe::Quoted(stranger), ", not ",
                                         observe::Quoted(name()));
  control::v1::Service changed;
  {
    absl::MutexLock lock(&mutex_);
    // Told once, however often the other one's state changes.
    if (stopping_ || service_.last_error() == error) return;
    answered_ = true;
    leaving_ = false;
    SetAway(control::v1::SERVICE_STATE_UNREACHABLE, error);
    changed = service_;
  }
  spdlog::error("--backends: {}", error);
  observer_(changed);
}

void Replica::ForgetWatch() {
  absl::MutexLock lock(&mutex_);
  watch_ = nullptr;
}

void Replica::OnWatchEnd(const grpc::Status& status) {
  std::optional<control::v1::Service> lost;
  {
    absl::MutexLock lock(&mutex_);
    if (EndIfStopping()) return;
    const control::v1::ServiceState before = service_.state();
    Leave(status);
    if (service_.state() != before) lost = service_;
  }
  if (lost) {
    spdlog::warn(
        "{} at {} {}: {}", name(), address(),
        lost->state() == control::v1::SERVICE_STATE_DRAINING ? "is going" : "does not answer",
        status.error_message());
    observer_(*lost);
  }
  // A new one each time: the last one's callback may still be on its way out.
  const auto retry = std::make_shared<grpc::Alarm>();
  {
    absl::MutexLock lock(&mutex_);
    if (EndIfStopping()) return;
    retry_ = retry;
  }
  retry->Set(std::chrono::system_clock::now() + kRetryInterval, [this](bool) { OpenWatch(); });
}

void Replica::Leave(const grpc::Status& status) {
  leaving_ = ReasonOf(rpc::FromGrpc(status)) == "DRAINING";
  SetAway(leaving_ ? control::v1::SERVICE_STATE_DRAINING : control::v1::SERVICE_STATE_UNREACHABLE,
          status.error_message());
}

void Replica::SetAway(control::v1::ServiceState state, const std::string& error) {
  service_.set_last_error(error);
  if (service_.state() == state) return;
  service_.set_state(state);
  *service_.mutable_state_time() = rpc::ToProto(absl::Now());
}

bool Replica::EndIfStopping() {
  if (!stopping_) return false;
  running_ = false;
  ended_.SignalAll();
  return true;
}

}  // namespace rawgate::gateway
