#include "services/time/time_watch_servicer.h"

#include <algorithm>

#include <boost/asio/post.hpp>

#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::timesvc {
namespace {

namespace pb = time::v1;

constexpr absl::Duration kIntervalMin = absl::Milliseconds(100);
constexpr absl::Duration kIntervalMax = absl::Hours(24);
// Of real time, between the ticks that are sent.
constexpr absl::Duration kTicksApart = kIntervalMin;
// The machine's clock may be set under us, and the timer's stands still while the machine sleeps.
constexpr absl::Duration kLookAfter = absl::Seconds(1);

absl::StatusOr<absl::Duration> IntervalOf(const pb::WatchTimeRequest& request) {
  if (!request.has_interval()) return absl::Seconds(1);
  const std::optional<absl::Duration> interval = rpc::FromProto(request.interval());
  if (interval && *interval >= kIntervalMin && *interval <= kIntervalMax) return *interval;
  return FieldError("interval", "BAD_INTERVAL", "interval must be from 100 ms to a day");
}

}  // namespace

absl::StatusOr<WatchOptions> ToWatchOptions(const pb::WatchTimeRequest& request) {
  absl::StatusOr<TimeFormatter> formatter =
      TimeFormatter::Make(request.format(), request.time_zone());
  if (!formatter.ok()) return formatter.status();
  const absl::StatusOr<absl::Duration> interval = IntervalOf(request);
  if (!interval.ok()) return interval.status();
  return WatchOptions{*std::move(formatter), *interval};
}

TimeWatch::Writer* TimeWatch::Open(std::function<void()> on_end) {
  const auto self = shared_from_this();
  on_end_ = std::move(on_end);
  writer_ = new Writer(
      {.on_room =
           [self] {
             self->Post([self] {
               self->writing_ = false;
               self->Advance();
             });
           },
       .on_cancel =
           [self] { self->Post([self] { self->End(absl::CancelledError("cancelled")); }); },
       // After End(), so that nothing else touches it.
       .on_done = [self] { self->call_.reset(); }},
      /*queue_max=*/0);
  return writer_;
}

void TimeWatch::Start(WatchOptions options) {
  formatter_ = std::move(options.formatter);
  ticks_.emplace(options.interval, core_.Now());
  call_->OnEndRequested([self = shared_from_this()](const absl::Status& why) {
    self->Post([self, why] { self->End(why); });
  });
  writer_->StartSendInitialMetadata();
  Advance();
}

void TimeWatch::ClockWasSet() { Advance(); }

void TimeWatch::End(const absl::Status& status) {
  if (writer_ == nullptr) return;
  timer_.cancel();
  const grpc::Status end = call_->End(status);
  std::exchange(writer_, nullptr)->Finish(end);
  std::exchange(on_end_, nullptr)();
}

void TimeWatch::Post(std::function<void()> step) {
  boost::asio::post(loop_, [self = shared_from_this(), step = std::move(step)] {
    if (self->writer_ != nullptr) step();
  });
}

void TimeWatch::Advance() {
  if (writing_) return;
  const auto tick = ticks_->Take(core_.Now(), core_.ToldWithin(kTicksApart));
  if (tick) return Send(*tick);
  const absl::Duration wait = std::min(core_.RealTimeUntil(ticks_->next()), kLookAfter);
  timer_.expires_after(absl::ToChronoNanoseconds(wait));
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled && self->writer_ != nullptr) self->Advance();
  });
}

FormattedTime TimeWatch::Text(absl::Time tick) {
  if (const std::time_t second = absl::ToTimeT(tick); second != second_) {
    text_ = formatter_->Format(tick);
    second_ = second;
  }
  return text_;
}

void TimeWatch::Send(const TickSequence::Tick& tick) {
  FormattedTime text = Text(tick.time);
  call_->CountSent(text.formatted.size());
  pb::WatchTimeResponse response;
  *response.mutable_time() = rpc::ToProto(tick.time);
  response.set_formatted(std::move(text.formatted));
  response.set_time_zone(std::move(text.zone));
  response.set_utc_offset_seconds(text.utc_offset_seconds);
  response.set_missed(tick.missed);
  response.set_test_clock(core_.test_clock_active());
  *response.mutable_server_send_time() = rpc::ToProto(core_.Now());
  writing_ = true;
  writer_->Write(std::move(response));
}

}  // namespace rawgate::timesvc
