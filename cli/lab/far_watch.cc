#include "cli/lab/far_watch.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "cli/lab/recording.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {

absl::StatusOr<std::unique_ptr<FarWatch>> FarWatch::Start(Gateway& gateway, Interrupt& interrupt,
                                                          const std::string& service) {
  std::unique_ptr<FarWatch> watch(new FarWatch(interrupt));
  watch->stub_ = gateway.Stub<control::v1::ControlService>();
  control::v1::WatchEventsRequest request;
  request.add_services(service);
  request.set_include_chunks(true);
  request.set_sample_bytes(kSampleBytes);
  watch->reader_ = watch->stub_->WatchEvents(&watch->context_, request);
  control::v1::WatchEventsResponse first;
  if (!watch->reader_->Read(&first)) {
    const grpc::Status status = watch->reader_->Finish();
    watch->reader_.reset();
    return rpc::FromGrpc(status);
  }
  watch->thread_ = std::thread([watch = watch.get()] { watch->Read(); });
  return watch;
}

FarWatch::~FarWatch() {
  context_.TryCancel();
  if (thread_.joinable()) thread_.join();
}

void FarWatch::Read() {
  control::v1::WatchEventsResponse response;
  while (reader_->Read(&response)) {
    const std::lock_guard lock(mutex_);
    for (auto& event : *response.mutable_events()) {
      if (events_.size() < kMostEvents) events_.push_back(std::move(event));
    }
    lost_ = lost_ || response.lost_size() > 0 || events_.size() == kMostEvents;
    changed_.notify_all();
  }
  const absl::Status end = rpc::FromGrpc(reader_->Finish());
  const std::lock_guard lock(mutex_);
  ended_ = true;
  end_ = end.ok()
             ? Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the gateway ended the watch")
             : end;
  changed_.notify_all();
}

size_t FarWatch::size() const {
  const std::lock_guard lock(mutex_);
  return events_.size();
}

absl::StatusOr<Events> FarWatch::Await(size_t first,
                                       const std::function<bool(const Events&)>& is_complete,
                                       absl::Time deadline) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (ended_) return end_;
    if (lost_) {
      return Error(absl::StatusCode::kUnavailable, "EVENTS_LOST",
                   "the service has more to tell than this watch could read; try again when it is "
                   "less busy");
    }
    Events events(events_.begin() + static_cast<std::ptrdiff_t>(std::min(first, events_.size())),
                  events_.end());
    if (is_complete(events) || absl::Now() >= deadline) return events;
    changed_.wait_until(lock, absl::ToChronoTime(deadline));
  }
}

}  // namespace rawgate::cli::lab
