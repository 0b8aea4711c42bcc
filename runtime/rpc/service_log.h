// The states of services, newest and recent, for those who watch: one service's in its own process,
// all of them in the gateway, where a service may have several replicas: one for each address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::rpc {

// Thread-safe. Outlives its watchers.
class ServiceLog {
 public:
  // Changes kept for slow and for returning watchers, a few kilobytes each.
  static constexpr size_t kChangesMax = 256;

  explicit ServiceLog(std::string instance) : instance_(std::move(instance)) {}
  ServiceLog(const ServiceLog&) = delete;
  ServiceLog& operator=(const ServiceLog&) = delete;

  // Numbers one change: what the service of that name and address is from now on.
  void Append(control::v1::Service service);

  // `rows` are all that there is of `name` from now on. Numbers a change for each that differs from
  // what was known, or, where one has gone, one change for all of them: as no message says that a
  // service is no more, watchers are then told everything, in a snapshot.
  void Set(absl::string_view name, std::vector<control::v1::Service> rows);

  // A reader of the log. One thread at a time.
  class Watcher {
   public:
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    // The next message of a WatchServices stream; nullopt when nothing has come since the last. The
    // first one waits for the first Append().
    std::optional<control::v1::WatchServicesResponse> Take();

    // Calls `wake` once, from any thread and with no lock held, when Take() has or will have
    // something; at once if it has. It may be called after this object is gone.
    void NotifyOnce(std::function<void()> wake);

   private:
    friend class ServiceLog;
    Watcher(ServiceLog& log, std::optional<uint64_t> after) : log_(log), after_(after) {}

    bool HasNext() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(log_.mutex_) {
      return log_.last_ > after_.value_or(0);
    }

    ServiceLog& log_;
    // Number of the last change that was taken; none before the first snapshot.
    std::optional<uint64_t> after_ ABSL_GUARDED_BY(log_.mutex_);
    std::function<void()> wake_ ABSL_GUARDED_BY(log_.mutex_);
  };

  // Where the request says. The caller bounds the number of watchers.
  std::unique_ptr<Watcher> Watch(const control::v1::WatchServicesRequest& request);

 private:
  // One change, by a snapshot where it is null.
  void Add(std::optional<control::v1::Service> change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What is to be called, with no lock held, once something was added.
  std::vector<std::function<void()>> TakeWakes() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A whole message: the newest state of every service.
  control::v1::WatchServicesResponse Snapshot() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string instance_;
  absl::Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  // Changes last_ - changes_.size() + 1 to last_.
  std::deque<std::optional<control::v1::Service>> changes_ ABSL_GUARDED_BY(mutex_);
  // By name and address.
  std::map<std::pair<std::string, std::string>, control::v1::Service> newest_
      ABSL_GUARDED_BY(mutex_);
  std::vector<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::rpc
