#include "cli/event_watch.h"

#include <algorithm>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

// As many as WatchEventsRequest.after may have.
constexpr size_t kPositionsMax = 1024;

}  // namespace

EventWatch::EventWatch(control::v1::ControlService::Stub& stub,
                       control::v1::WatchEventsRequest request, int retries, Callbacks callbacks)
    : stub_(stub),
      request_(std::move(request)),
      retries_(retries),
      callbacks_(std::move(callbacks)) {
  for (const auto& position : request_.after())
    positions_.emplace(std::pair(position.service(), position.instance()), position.sequence());
  request_.clear_after();
}

absl::Status EventWatch::Run() {
  RetryPacer pacer(retries_, call_.stopped(), RetryPacer::kWatched);
  while (true) {
    const absl::Status end = Follow(pacer);
    if (had_enough_) return absl::OkStatus();
    if (call_.stopped().HasBeenNotified()) return absl::CancelledError();
    // What refuses the first call will refuse the next.
    const bool may_come_back = IsPassing(end) || (began_ && ReasonOf(end) == "TOO_MANY_WATCHERS");
    if (!may_come_back || retries_ == 0) return end;
    if (!std::exchange(is_lost_, true)) callbacks_.lost(end);
    if (!pacer.Wait(end)) return call_.stopped().HasBeenNotified() ? absl::CancelledError() : end;
  }
}

control::v1::WatchEventsRequest EventWatch::Request() const {
  control::v1::WatchEventsRequest request = request_;
  for (const auto& [process, sequence] : positions_) {
    auto& position = *request.add_after();
    position.set_service(process.first);
    position.set_instance(process.second);
    position.set_sequence(sequence);
  }
  return request;
}

absl::Status EventWatch::Follow(RetryPacer& pacer) {
  grpc::ClientContext context;
  if (!call_.Begin(context)) return absl::CancelledError();
  const auto reader = stub_.WatchEvents(&context, Request());
  control::v1::WatchEventsResponse message;
  while (!had_enough_ && reader->Read(&message)) {
    began_ = true;
    pacer.NoteProgress();
    if (std::exchange(is_lost_, false)) callbacks_.resumed();
    Remember(message);
    had_enough_ = !callbacks_.take(message);
  }
  if (had_enough_) context.TryCancel();
  const grpc::Status status = reader->Finish();
  call_.End();
  return status.ok()
             ? Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the gateway ended the watch")
             : rpc::FromGrpc(status);
}

void EventWatch::Remember(const control::v1::WatchEventsResponse& message) {
  for (const auto& lost : message.lost()) {
    // That process is gone.
    if (lost.count() == 0) positions_.erase({lost.service(), lost.instance()});
  }
  const auto remember = [this](const std::string& service, const std::string& instance,
                               uint64_t sequence) {
    if (instance.empty()) return;
    const auto known = positions_.find({service, instance});
    if (known != positions_.end()) {
      known->second = std::max(known->second, sequence);
    } else if (positions_.size() < kPositionsMax) {
      positions_.emplace(std::pair(service, instance), sequence);
    }
  };
  for (const auto& position : message.positions())
    remember(position.service(), position.instance(), position.sequence());
  for (const auto& event : message.events()) {
    // The gateway's own have no number.
    if (event.sequence() != 0) remember(event.service(), event.instance(), event.sequence());
  }
}

}  // namespace rawgate::cli
