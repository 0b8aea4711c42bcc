#include "runtime/rpc/event_watch.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <variant>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_messages.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

control::v1::WatchEventsRequest TakeRequest(const control::v1::WatchEventsRequest* request) {
  control::v1::WatchEventsRequest taken;
  // It was made for this call alone, and is const only in the signature of its handler.
  taken.Swap(const_cast<control::v1::WatchEventsRequest*>(request));
  return taken;
}

absl::Status CheckWatchEvents(const control::v1::WatchEventsRequest& request) {
  if (request.sample_bytes() > observe::kSampleBytesMax) {
    return FieldError("sample_bytes", "SAMPLE_TOO_LARGE",
                      absl::StrCat("sample_bytes must be at most ", observe::kSampleBytesMax));
  }
  if (request.after_size() > kPositionsMax) {
    return FieldError("after", "BAD_POSITIONS",
                      absl::StrCat("after may have at most ", kPositionsMax, " positions"));
  }
  for (const control::v1::EventPosition& position : request.after()) {
    if (position.instance().size() <= kInstanceBytesMax) continue;
    return FieldError(
        "after", "BAD_POSITIONS",
        absl::StrCat("an instance's name in after has over ", kInstanceBytesMax, " bytes"));
  }
  return absl::OkStatus();
}

EventWatch::EventWatch(const control::v1::WatchEventsRequest& request, net::Service& service,
                       boost::asio::thread_pool& pool)
    : service_(service),
      pool_(pool),
      include_chunks_(request.include_chunks()),
      sample_bytes_(request.sample_bytes()) {}

std::shared_ptr<EventWatch> EventWatch::Make(const control::v1::WatchEventsRequest& request,
                                             net::Service& service,
                                             boost::asio::thread_pool& pool) {
  std::shared_ptr<EventWatch> watch(new EventWatch(request, service, pool));
  const int64_t after = watch->ResumeAfter(request);
  watch->events_ = service.events().Watch(after);
  if (watch->events_ == nullptr) return nullptr;
  auto& position = *watch->first_.add_positions();
  position.set_service(service.name());
  position.set_instance(service.instance());
  // Without a position to resume after, what comes next is exactly what follows this one.
  position.set_sequence(after < 0 ? watch->events_->position() : service.events().last_sequence());
  return watch;
}

int64_t EventWatch::ResumeAfter(const control::v1::WatchEventsRequest& request) {
  int64_t after = -1;
  for (const control::v1::EventPosition& position : request.after()) {
    if (position.service() != service_.name()) continue;
    if (position.instance() == service_.instance()) {
      after = static_cast<int64_t>(
          std::min<uint64_t>(position.sequence(), std::numeric_limits<int64_t>::max()));
    } else {
      auto& lost = *first_.add_lost();
      lost.set_service(service_.name());
      lost.set_instance(position.instance());
    }
  }
  return after;
}

EventWatch::Writer* EventWatch::Open(std::function<void()> on_done) {
  const auto self = shared_from_this();
  writer_ = new Writer({.on_room = [self] { self->Post(&EventWatch::Advance); },
                        .on_cancel = [self] { self->End(absl::CancelledError("cancelled")); },
                        .on_done = std::move(on_done)},
                       2);
  return writer_;
}

void EventWatch::Start() { Post(&EventWatch::SendFirst); }

void EventWatch::Post(Step step) {
  boost::asio::post(pool_, [self = shared_from_this(), step] {
    if (self->events_ != nullptr) (*self.*step)();
  });
}

void EventWatch::End(absl::Status status) {
  boost::asio::post(pool_, [self = shared_from_this(), status = std::move(status)] {
    if (self->events_ == nullptr) return;
    // After this no wake comes any more.
    self->events_.reset();
    std::exchange(self->writer_, nullptr)->Finish(ToGrpc(status));
  });
}

void EventWatch::SendFirst() {
  if (writer_->Write(std::move(first_))) Advance();
}

void EventWatch::Advance() {
  const auto batch = events_->Take(kBatchMax);
  if (batch.events.empty() && batch.lost == 0) {
    events_->NotifyOnce([this] { Post(&EventWatch::Advance); });
    return;
  }
  control::v1::WatchEventsResponse response;
  if (batch.lost > 0) {
    auto& lost = *response.add_lost();
    lost.set_service(service_.name());
    lost.set_instance(service_.instance());
    lost.set_count(batch.lost);
  }
  for (const observe::Event& event : batch.events) {
    if (!include_chunks_ && std::holds_alternative<observe::ChunkReceived>(event.body)) continue;
    *response.add_events() = ToProto(event, service_, sample_bytes_);
  }
  const bool empty = response.events().empty() && response.lost().empty();
  // Otherwise on_room goes on. Posted, so that the watches take turns.
  if (empty || writer_->Write(std::move(response))) Post(&EventWatch::Advance);
}

}  // namespace rawgate::rpc
