// TimeService over the same core as the sockets.
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/net/service.h"
#include "runtime/rpc/admission.h"
#include "services/time/test_clock.h"
#include "services/time/time_core.h"

namespace rawgate::timesvc {

class TimeWatch;
struct WatchOptions;

// GetTime is answered on gRPC's threads, everything else on the loop thread. As a Drainable it ends
// the watches, with Admission::StopError(): they would otherwise hold up a stop for the whole
// grace.
class TimeServicer final : public time::v1::TimeService::CallbackService, public net::Drainable {
 public:
  // Both outlive this object.
  TimeServicer(TimeCore& core, rpc::Admission& admission);
  ~TimeServicer() override;

  // Watches in progress: each may have the loop format the longest of texts ten times a second.
  static constexpr size_t kWatchesMax = 256;

  grpc::ServerUnaryReactor* GetTime(grpc::CallbackServerContext* context,
                                    const time::v1::GetTimeRequest* request,
                                    time::v1::GetTimeResponse* response) override;
  grpc::ServerWriteReactor<time::v1::WatchTimeResponse>* WatchTime(
      grpc::CallbackServerContext* context, const time::v1::WatchTimeRequest* request) override;
  grpc::ServerUnaryReactor* GetTestClock(grpc::CallbackServerContext* context,
                                         const time::v1::GetTestClockRequest* request,
                                         time::v1::GetTestClockResponse* response) override;
  grpc::ServerUnaryReactor* SetTestClock(grpc::CallbackServerContext* context,
                                         const time::v1::SetTestClockRequest* request,
                                         time::v1::SetTestClockResponse* response) override;

  void Drain(std::function<void()> drained) override;
  void Cancel() override {}

 private:
  void Begin(const std::shared_ptr<TimeWatch>& watch, absl::StatusOr<WatchOptions> options);
  absl::Status Set(const time::v1::SetTestClockRequest& request,
                   time::v1::SetTestClockResponse* response, rpc::Call& call);

  TimeCore& core_;
  rpc::Admission& admission_;
  boost::asio::io_context& loop_;
  // In progress. Shared with the hooks of their streams. Loop thread.
  absl::flat_hash_set<std::shared_ptr<TimeWatch>> watches_;
  // Wakes the watches.
  TestClock::Subscription changes_;
};

}  // namespace rawgate::timesvc
