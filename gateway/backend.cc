#include "gateway/backend.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/server.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

std::shared_ptr<grpc::Channel> OpenChannel(
    const std::string& target, const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
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
  arguments.SetLoadBalancingPolicyName("round_robin");
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

}  // namespace

grpc::Status StatusForClient(const grpc::Status& status, const std::string& backend) {
  if (status.ok() || !status.error_details().empty()) return status;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return rpc::ToGrpc(
        Error(absl::StatusCode::kUnavailable, "BACKEND_UNREACHABLE",
              absl::StrCat("service ", backend, " does not answer: ", status.error_message())));
  }
  return rpc::ToGrpc(rpc::FromGrpc(status));
}

// One WatchServices stream.
class Backend::Watch final : public grpc::ClientReadReactor<control::v1::WatchServicesResponse> {
 public:
  explicit Watch(Backend& backend) : backend_(backend) {
    backend_.control_->async()->WatchServices(&context_, &request_, this);
    StartRead(&update_);
  }
  void Start() { StartCall(); }
  void Cancel() { context_.TryCancel(); }

  void OnReadDone(bool ok) override {
    if (!ok) return;  // OnDone() follows
    backend_.OnUpdate(update_);
    StartRead(&update_);
  }
  void OnDone(const grpc::Status& status) override {
    // Its share of the channel goes first. Whoever waits in Stop() may then drop the last one,
    // which would end the process here: gRPC cannot take its last channel down on a thread of its
    // own.
    Backend& backend = backend_;
    backend.ForgetWatch();
    delete this;
    backend.OnWatchEnd(status);
  }

 private:
  Backend& backend_;
  grpc::ClientContext context_;
  const control::v1::WatchServicesRequest request_;
  control::v1::WatchServicesResponse update_;
};

Backend::Backend(const BackendAddress& address, Observer observer,
                 const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : name_(address.name),
      target_(address.target),
      observer_(std::move(observer)),
      channel_(OpenChannel(address.target, credentials)),
      control_(control::v1::ControlService::NewStub(channel_)) {
  service_.set_name(name_);
  service_.set_desired_state(control::v1::DESIRED_STATE_RUNNING);
  service_.set_state(control::v1::SERVICE_STATE_UNREACHABLE);
  *service_.mutable_state_time() = rpc::ToProto(absl::Now());
}

Backend::~Backend() = default;

void Backend::Start() {
  {
    absl::MutexLock lock(&mutex_);
    running_ = true;
  }
  OpenWatch();
}

void Backend::Stop() {
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

control::v1::Service Backend::service() const {
  absl::MutexLock lock(&mutex_);
  return service_;
}

bool Backend::reachable() const {
  absl::MutexLock lock(&mutex_);
  return service_.state() != control::v1::SERVICE_STATE_UNREACHABLE;
}

bool Backend::watchable() const {
  absl::MutexLock lock(&mutex_);
  return !leaving_ && service_.state() != control::v1::SERVICE_STATE_UNREACHABLE;
}

void Backend::OpenWatch() {
  auto* watch = new Watch(*this);  // deletes itself in OnDone()
  {
    absl::MutexLock lock(&mutex_);
    watch_ = watch;
    // Started all the same, so that its end is told like any other's.
    if (stopping_) watch->Cancel();
  }
  watch->Start();
}

void Backend::OnUpdate(const control::v1::WatchServicesResponse& update) {
  // One stream's messages, and its end, come one after another.
  bool found = false;
  for (const control::v1::Service& service : update.services()) {
    if (service.name() != name_) continue;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      service_ = service;
      leaving_ = false;
    }
    observer_(service);
    found = true;
  }
  if (!found && !update.services().empty()) OnStranger(update.services(0).name());
}

void Backend::OnStranger(const std::string& name) {
  const std::string error =
      absl::StrCat(target_, " serves ", observe::Quoted(name), ", not ", observe::Quoted(name_));
  control::v1::Service changed;
  {
    absl::MutexLock lock(&mutex_);
    // Told once, however often the other one's state changes.
    if (stopping_ || service_.last_error() == error) return;
    leaving_ = false;
    SetAway(control::v1::SERVICE_STATE_UNREACHABLE, error);
    changed = service_;
  }
  spdlog::error("--backends: {}", error);
  observer_(changed);
}

void Backend::ForgetWatch() {
  absl::MutexLock lock(&mutex_);
  watch_ = nullptr;
}

void Backend::OnWatchEnd(const grpc::Status& status) {
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
        "{} {}: {}", name_,
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

void Backend::Leave(const grpc::Status& status) {
  leaving_ = ReasonOf(rpc::FromGrpc(status)) == "DRAINING";
  SetAway(leaving_ ? control::v1::SERVICE_STATE_DRAINING : control::v1::SERVICE_STATE_UNREACHABLE,
          status.error_message());
}

void Backend::SetAway(control::v1::ServiceState state, const std::string& error) {
  service_.set_last_error(error);
  if (service_.state() == state) return;
  service_.set_state(state);
  *service_.mutable_state_time() = rpc::ToProto(absl::Now());
}

bool Backend::EndIfStopping() {
  if (!stopping_) return false;
  running_ = false;
  ended_.SignalAll();
  return true;
}

}  // namespace rawgate::gateway
