// The watches of one kind in progress: bounded, and ended together when the process goes. And the
// one way to begin a watch, or to refuse it.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

// Of each kind, in one process. As many as one connection to the gateway may have calls.
inline constexpr size_t kWatchesMax = 1024;

inline absl::Status TooManyWatchers(size_t watches_max = kWatchesMax) {
  return WithRetryAfter(
      Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHERS",
            absl::StrCat("this service is watched by ", watches_max, " clients already")),
      absl::Seconds(1));
}

// Thread-safe. `Watch` has a thread-safe End(absl::Status), which may be called at any time until
// Remove().
template <typename Watch>
class WatchSet {
 public:
  // Errors: RESOURCE_EXHAUSTED (TOO_MANY_WATCHERS, with RetryInfo), UNAVAILABLE (DRAINING, with
  // RetryInfo) after EndAll().
  absl::Status Add(std::shared_ptr<Watch> watch) {
    absl::MutexLock lock(&mutex_);
    if (!reason_to_end_.ok()) return reason_to_end_;
    if (watches_.size() >= kWatchesMax) return TooManyWatchers();
    watches_.insert(std::move(watch));
    return absl::OkStatus();
  }

  void Remove(const std::shared_ptr<Watch>& watch) {
    absl::MutexLock lock(&mutex_);
    watches_.erase(watch);
  }

  // Ends them all, and refuses new ones from now on.
  void EndAll() {
    absl::MutexLock lock(&mutex_);
    reason_to_end_ = DrainingError();
    for (const auto& watch : watches_) watch->End(reason_to_end_);
  }

 private:
  absl::Mutex mutex_;
  absl::Status reason_to_end_ ABSL_GUARDED_BY(mutex_);
  // Shared with the hooks of their streams.
  absl::flat_hash_set<std::shared_ptr<Watch>> watches_ ABSL_GUARDED_BY(mutex_);
};

// Makes a stream for gRPC of `watch` and starts it, or ends it at once where the set, which
// outlives it, has no place.
template <typename Watch>
typename Watch::Writer* OpenWatch(const std::shared_ptr<Watch>& watch, WatchSet<Watch>& set) {
  auto* const writer = watch->Open([watch, &set] { set.Remove(watch); });
  if (const absl::Status added = set.Add(watch); added.ok()) {
    watch->Start();
  } else {
    watch->End(added);
  }
  return writer;
}

// A stream that ends before it began.
template <typename Watch>
typename Watch::Writer* RefuseWatch(const absl::Status& status) {
  auto* const writer = new typename Watch::Writer({});
  writer->Finish(ToGrpc(status));
  return writer;
}

}  // namespace rawgate::rpc
