// One service process as the gateway sees it: a channel to its address, and its state kept live by
// a WatchServices stream.
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

// Thread-safe. A process that does not answer is asked again every kRetryInterval; nothing else is
// done about it.
class Replica {
 public:
  static constexpr std::chrono::milliseconds kRetryInterval{200};

  // Told of each change of service(): from any thread, with no lock held, in order.
  using Observer = std::function<void(const control::v1::Service&)>;

  struct Place {
    // Of the service that is expected there: "echo".
    std::string name;
    // A gRPC target of one address.
    std::string address;
    // The name that its certificate is checked for, and that it is called by; empty where the
    // address has it.
    std::string authority = {};
  };

  Replica(Place place, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
          Observer observer);
  // Stop() has been called if Start() was.
  ~Replica();

  // Begins to watch.
  void Start();
  // Ends the watch and waits until it has ended. Not from within the observer.
  void Stop();

  const std::string& name() const { return place_.name; }
  const std::string& address() const { return place_.address; }
  control::v1::ControlService::Stub& control() { return *control_; }

  // What it said last of itself; SERVICE_STATE_UNREACHABLE while it does not answer, the rest then
  // being what was last known, and SERVICE_STATE_DRAINING while its process finishes its work.
  // Counters are as old as the last change of state.
  control::v1::Service service() const;
  // Of service(); empty while it was never reached.
  std::string instance() const;
  bool reachable() const;
  // It answers, and is not about to leave: a watch of it has a future.
  bool watchable() const;
  // It is, or once was, reachable, or another service is where it was expected.
  bool answered() const;

 private:
  class Watch;
  void OpenWatch();
  void OnUpdate(const control::v1::WatchServicesResponse& update);
  // The watch is about to delete itself; OnWatchEnd() follows.
  void ForgetWatch();
  void OnWatchEnd(const grpc::Status& status);
  // What is reached is another service.
  void OnStranger(const std::string& stranger);
  // What `service_` says when there is no watch, which ended with `status`.
  void Leave(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetAway(control::v1::ServiceState state, const std::string& error)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // True, and whoever waits in Stop() told, when it is time to end.
  bool EndIfStopping() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Place place_;
  const Observer observer_;
  const std::unique_ptr<control::v1::ControlService::Stub> control_;

  mutable absl::Mutex mutex_;
  absl::CondVar ended_ ABSL_GUARDED_BY(mutex_);
  control::v1::Service service_ ABSL_GUARDED_BY(mutex_);
  bool answered_ ABSL_GUARDED_BY(mutex_) = false;
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
