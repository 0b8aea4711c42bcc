#include "cli/bench/load_workers.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "absl/time/clock.h"

namespace rawgate::cli {
namespace {

constexpr absl::Duration kPauseAfterError = absl::Milliseconds(10);
// How soon a stop is noticed, and how often somebody is told how far it is.
constexpr absl::Duration kTick = absl::Milliseconds(100);
// Somebody waits for it.
constexpr absl::Duration kPatienceAfterStop = absl::Seconds(2);

// Counts threads that have ended.
class Finished {
 public:
  void Add() {
    const std::scoped_lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  // Whether `all` have, after at most `time`.
  bool Await(size_t all, absl::Duration time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, absl::ToChronoNanoseconds(time), [&] { return count_ == all; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t count_ = 0;
};

}  // namespace

void SleepUntil(absl::Time time, const LoadPlan& plan) {
  for (absl::Time now = LoadNow(); now < time && !plan.stopped(); now = LoadNow()) {
    absl::SleepFor(std::min(time - now, kTick));
  }
}

void BlockingWorker::Run(LoadPlan& plan, LoadResult& result, std::atomic<uint64_t>& done) {
  while (const auto start = plan.Next(LoadNow())) {
    SleepUntil(start->time, plan);
    if (plan.stopped()) return;
    const absl::StatusOr<Bytes> bytes = Request(start->number);
    const absl::Time end = LoadNow();
    if (!bytes.ok() && cancelled_) return;
    done.fetch_add(1, std::memory_order_relaxed);
    if (!bytes.ok()) absl::SleepFor(kPauseAfterError);
    if (start->time < plan.measured_from()) continue;
    if (bytes.ok()) {
      result.AddSuccess(end - start->time, bytes->sent, bytes->received);
    } else {
      result.AddError(bytes.status());
    }
  }
}

void BlockingWorker::Cancel() {
  cancelled_ = true;
  CancelRequest();
}

LoadResult RunWorkers(const std::vector<std::unique_ptr<LoadWorker>>& workers, LoadPlan& plan,
                      absl::Duration patience, const std::function<bool(uint64_t)>& poll) {
  std::vector<LoadResult> results(workers.size());
  std::vector<std::thread> threads;
  std::atomic<uint64_t> done{0};
  Finished finished;
  plan.Begin(LoadNow());
  for (size_t i = 0; i < workers.size(); ++i) {
    threads.emplace_back([&, i] {
      workers[i]->Run(plan, results[i], done);
      finished.Add();
    });
  }
  absl::Time end = plan.end() + patience;
  bool cancelled = false;
  while (!finished.Await(workers.size(), kTick)) {
    if (!poll(done.load(std::memory_order_relaxed)) && !plan.stopped()) {
      plan.Stop();
      end = std::min(end, LoadNow() + kPatienceAfterStop);
    }
    if (cancelled || LoadNow() < end) continue;
    cancelled = true;
    plan.Stop();
    for (const auto& worker : workers) worker->Cancel();
  }
  for (std::thread& thread : threads) thread.join();
  LoadResult all;
  for (const LoadResult& result : results) all.Merge(result);
  return all;
}

}  // namespace rawgate::cli
