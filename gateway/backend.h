// One service process as the gateway sees it: a channel to it, and its state kept live by a
// WatchServices stream.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/alarm.h"
#include "grpcpp/channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/status.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::gateway {

struct BackendAddress {
  // "echo".
  std::string name;
  // Any gRPC target: "127.0.0.1:50061", "unix:///run/rawgate/echo.sock", "dns:///exec:50062".
  std::string target;
};

// What a client is told when a call to `backend` ended with `status`. A backend's own errors carry
// details and pass unchanged; those that gRPC made up on the way get ours, a connection that failed
// UNAVAILABLE (BACKEND_UNREACHABLE).
grpc::Status StatusForClient(const grpc::Status& status, const std::string& backend);

// Thread-safe. A backend that does not answer is asked again every kRetryInterval; nothing else is
// done about it.
class Backend {
 public:
  static constexpr std::chrono::milliseconds kRetryInterval{200};

  // Told of each change of service(): from any thread, with no lock held, in order.
  using Observer = std::function<void(const control::v1::Service&)>;

  Backend(const BackendAddress& address, Observer observer,
          const std::shared_ptr<grpc::ChannelCredentials>& credentials =
              grpc::InsecureChannelCredentials());
  // Stop() has been called if Start() was.
  ~Backend();

  // Begins to watch.
  void Start();
  // Ends the watch and waits until it has ended.
  void Stop();

  const std::string& name() const { return name_; }
  // One connection for forwarded calls and control alike: what is reachable for one is for the
  // other.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  control::v1::ControlService::Stub& control() { return *control_; }

  // What it said last of itself; SERVICE_STATE_UNREACHABLE while it does not answer, the rest then
  // being what was last known, and SERVICE_STATE_DRAINING while its process finishes its work.
  // Counters are as old as the last change of state.
  control::v1::Service service() const;
  bool reachable() const;
  // It answers, and is not about to leave: a watch of it has a future.
  bool watchable() const;

 private:
  class Watch;
  void OpenWatch();
  void OnUpdate(const control::v1::WatchServicesResponse& update);
  // The watch is about to delete itself; OnWatchEnd() follows.
  void ForgetWatch();
  void OnWatchEnd(const grpc::Status& status);
  // What is reached is another service, `name`.
  void OnStranger(const std::string& name);
  // What `service_` says when there is no watch, which ended with `status`.
  void Leave(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetAway(control::v1::ServiceState state, const std::string& error)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True, and whoever waits in Stop() told, when it is time to end.
  bool EndIfStopping() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string name_;
  const std::string target_;
  const Observer observer_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<control::v1::ControlService::Stub> control_;

  mutable absl::Mutex mutex_;
  absl::CondVar ended_ ABSL_GUARDED_BY(mutex_);
  control::v1::Service service_ ABSL_GUARDED_BY(mutex_);
  // Its process ended its watch, or refuses one, since it is going.
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
  // The open stream, which deletes itself; null between two attempts.
  Watch* watch_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Between two attempts. Also held by who sets and who cancels it, outside of the lock.
  std::shared_ptr<grpc::Alarm> retry_ ABSL_GUARDED_BY(mutex_);
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rawgate::gateway
