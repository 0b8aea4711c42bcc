// All backends, by name, and word of their changes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "gateway/backend.h"
#include "runtime/rpc/service_log.h"

namespace rawgate::gateway {

// "echo=127.0.0.1:50061,exec=dns:///exec:50062". A part without a name belongs to the target before
// it, as in "echo=ipv4:10.0.0.1:50061,10.0.0.2:50061". "gateway" is no backend's name: the
// gateway's own connections go by it. Error: INVALID_ARGUMENT (BAD_BACKENDS), also where a target
// is one that ParseTarget() refuses.
absl::StatusOr<std::vector<BackendAddress>> ParseBackends(absl::string_view text);

// Thread-safe.
class BackendTable {
 public:
  explicit BackendTable(const std::vector<BackendAddress>& addresses, BackendOptions options = {});
  ~BackendTable();

  void Start();
  // Ends all watching of backends; channels stay usable.
  void Stop();

  // In order of name.
  const std::vector<std::unique_ptr<Backend>>& backends() const { return backends_; }
  // Error: NOT_FOUND (SERVICE_NOT_FOUND).
  absl::StatusOr<Backend*> Find(absl::string_view name) const;

  // Every change of any backend, for watchers.
  rpc::ServiceLog& log() { return log_; }

  // Calls `changed` after every change of any backend, from any thread, one call at a time. When
  // Unsubscribe() has returned no call is under way: it must not be called from within `changed`.
  using Subscription = uint64_t;
  Subscription Subscribe(std::function<void()> changed);
  void Unsubscribe(Subscription subscription);

 private:
  void OnChange(const Backend& backend);

  rpc::ServiceLog log_;
  std::vector<std::unique_ptr<Backend>> backends_;
  // Held while a change is read and subscribers are called, so that none acts on what was read
  // before a later change.
  absl::Mutex mutex_;
  Subscription last_subscription_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<Subscription, std::function<void()>> subscribers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::gateway
