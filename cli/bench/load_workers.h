// The threads of a load.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/bench/load_plan.h"
#include "cli/bench/load_result.h"

namespace rawgate::cli {

// What one thread of a load does: its requests, one after another or several at once, until the
// plan has no more.
class LoadWorker {
 public:
  virtual ~LoadWorker() = default;
  // On its own thread. Each request that started at plan.measured_from() or later goes into
  // `result`, and one more into `done` when it has ended.
  virtual void Run(LoadPlan& plan, LoadResult& result, std::atomic<uint64_t>& done) = 0;
  // Ends what is in progress. Another thread, at any time after Run() was called or before.
  virtual void Cancel() = 0;
};

// A worker that makes one blocking request at a time.
class BlockingWorker : public LoadWorker {
 public:
  struct Bytes {
    uint64_t sent = 0;
    uint64_t received = 0;
  };

  // A failed request is followed by a pause of 10 ms: what is down is not hammered.
  void Run(LoadPlan& plan, LoadResult& result, std::atomic<uint64_t>& done) final;
  void Cancel() final;

 protected:
  // The request with this number. Fails with CANCELLED after Cancel().
  virtual absl::StatusOr<Bytes> Request(uint64_t number) = 0;
  // Ends a Request() in progress.
  virtual void CancelRequest() = 0;
  bool cancelled() const { return cancelled_; }

 private:
  std::atomic<bool> cancelled_{false};
};

// Runs all until the plan ends, and merges their results. `poll` is called some times a second with
// the number of requests that have ended; when it returns false, no request is begun any more. What
// is in progress at the plan's end has `patience` to end, two seconds when `poll` made the end;
// then it is cancelled.
LoadResult RunWorkers(const std::vector<std::unique_ptr<LoadWorker>>& workers, LoadPlan& plan,
                      absl::Duration patience, const std::function<bool(uint64_t done)>& poll);

// Until `time`, or until the plan is stopped.
void SleepUntil(absl::Time time, const LoadPlan& plan);

}  // namespace rawgate::cli
