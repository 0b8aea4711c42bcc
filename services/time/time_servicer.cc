#include "services/time/time_servicer.h"

#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"
#include "runtime/rpc/unary_call.h"
#include "runtime/rpc/watch_set.h"
#include "services/time/time_clock_servicer.h"
#include "services/time/time_watch_servicer.h"

namespace rawgate::timesvc {
namespace {

namespace pb = time::v1;

pb::ClockSynchronization ToProto(ClockSynchronization synchronization) {
  switch (synchronization) {
    case ClockSynchronization::kSynchronized:
      return pb::CLOCK_SYNCHRONIZATION_SYNCHRONIZED;
    case ClockSynchronization::kUnsynchronized:
      return pb::CLOCK_SYNCHRONIZATION_UNSYNCHRONIZED;
    case ClockSynchronization::kUnknown:
      break;
  }
  return pb::CLOCK_SYNCHRONIZATION_UNSPECIFIED;
}

void Fill(TimeReading reading, pb::GetTimeResponse* response) {
  *response->mutable_time() = rpc::ToProto(reading.time);
  response->set_formatted(std::move(reading.formatted));
  response->set_time_zone(std::move(reading.zone));
  response->set_utc_offset_seconds(reading.utc_offset_seconds);
  response->set_clock_source(std::move(reading.clock_source));
  response->set_synchronization(ToProto(reading.synchronization));
  *response->mutable_uptime() = rpc::ToProto(reading.uptime);
  response->set_test_clock(reading.test_clock);
}

absl::Status TestClockDisabled() {
  return Error(absl::StatusCode::kFailedPrecondition, "TEST_CLOCK_DISABLED",
               "the time service was started without --test_clock");
}

}  // namespace

TimeServicer::TimeServicer(TimeCore& core, rpc::Admission& admission)
    : core_(core), admission_(admission), loop_(admission.service().loop()) {
  if (core_.test_clock() == nullptr) return;
  changes_ = core_.test_clock()->Subscribe([this] {
    boost::asio::post(loop_, [this] {
      for (const auto& watch : watches_) watch->ClockWasSet();
    });
  });
}
TimeServicer::~TimeServicer() = default;

grpc::ServerUnaryReactor* TimeServicer::GetTime(grpc::CallbackServerContext* context,
                                                const pb::GetTimeRequest* request,
                                                pb::GetTimeResponse* response) {
  const absl::Time received = core_.Now();
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "GetTime");
  if (!call.ok()) {
    reactor->Finish(rpc::ToGrpc(call.status()));
    return reactor;
  }
  call->CountReceived(request->format().size());
  call->Describe([request] { return absl::StrCat("time as ", request->format()); });
  absl::StatusOr<TimeReading> reading = core_.Read(request->format(), request->time_zone());
  const absl::Status outcome = reading.status();
  if (reading.ok()) {
    call->CountSent(reading->formatted.size());
    Fill(*std::move(reading), response);
    if (request->has_client_send_time()) {
      *response->mutable_client_send_time() = request->client_send_time();
    }
    *response->mutable_server_receive_time() = rpc::ToProto(received);
    *response->mutable_server_send_time() = rpc::ToProto(core_.Now());
  }
  reactor->Finish(call->End(outcome));
  return reactor;
}

grpc::ServerWriteReactor<pb::WatchTimeResponse>* TimeServicer::WatchTime(
    grpc::CallbackServerContext* context, const pb::WatchTimeRequest* request) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "WatchTime");
  if (!call.ok()) {
    auto* const refused = new TimeWatch::Writer({});
    refused->Finish(rpc::ToGrpc(call.status()));
    return refused;
  }
  call->CountReceived(request->format().size());
  call->Describe([request] { return absl::StrCat("watch time as ", request->format()); });
  const auto watch = std::make_shared<TimeWatch>(core_, loop_, *std::move(call));
  TimeWatch::Writer* const writer = watch->Open([this, watch] { watches_.erase(watch); });
  // Here, since a zone is read from a file.
  boost::asio::post(loop_, [this, watch, options = ToWatchOptions(*request)]() mutable {
    Begin(watch, std::move(options));
  });
  return writer;
}

void TimeServicer::Begin(const std::shared_ptr<TimeWatch>& watch,
                         absl::StatusOr<WatchOptions> options) {
  if (watches_.size() >= kWatchesMax) return watch->End(rpc::TooManyWatchers(kWatchesMax));
  watches_.insert(watch);
  // The service may have been stopped since the call was admitted; then Drain() has passed already.
  if (!admission_.service().accepting()) return Drain([] {});
  if (!options.ok()) return watch->End(options.status());
  watch->Start(*std::move(options));
}

grpc::ServerUnaryReactor* TimeServicer::GetTestClock(grpc::CallbackServerContext* context,
                                                     const pb::GetTestClockRequest*,
                                                     pb::GetTestClockResponse* response) {
  return rpc::RunOnLoop(admission_, context, "GetTestClock",
                        [this, response](rpc::Call&, const rpc::UnaryDone& done) {
                          if (core_.test_clock() == nullptr) return done(TestClockDisabled());
                          *response->mutable_test_clock() = ToProto(core_.test_clock()->setting());
                          done(absl::OkStatus());
                        });
}

grpc::ServerUnaryReactor* TimeServicer::SetTestClock(grpc::CallbackServerContext* context,
                                                     const pb::SetTestClockRequest* request,
                                                     pb::SetTestClockResponse* response) {
  return rpc::RunOnLoop(admission_, context, "SetTestClock",
                        [=, this](rpc::Call& call, const rpc::UnaryDone& done) {
                          done(Set(*request, response, call));
                        });
}

absl::Status TimeServicer::Set(const pb::SetTestClockRequest& request,
                               pb::SetTestClockResponse* response, rpc::Call& call) {
  if (core_.test_clock() == nullptr) return TestClockDisabled();
  const absl::StatusOr<ClockSetting> setting = FromProto(request.test_clock());
  if (!setting.ok()) return setting.status();
  if (absl::Status set = core_.test_clock()->Set(*setting); !set.ok()) return set;
  *response->mutable_test_clock() = ToProto(*setting);
  call.Describe([&] { return absl::StrCat("test clock: ", ToText(*setting)); });
  spdlog::info("test clock: {}, set by {}", ToText(*setting), call.peer());
  return absl::OkStatus();
}

void TimeServicer::Drain(std::function<void()> drained) {
  const absl::Status why = admission_.StopError();
  // A copy, since each of them leaves the set.
  for (const auto& watch : std::vector(watches_.begin(), watches_.end())) watch->End(why);
  drained();
}

}  // namespace rawgate::timesvc
