// What the services tell of themselves while a lesson runs: the far side of its drawing.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/gateway.h"
#include "cli/interrupt.h"
#include "cli/lab/far_events.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli::lab {

// A watch of events with every chunk and its first bytes, read by a thread of its own. Any thread.
class FarWatch {
 public:
  // Returns once nothing is missed from here on. Errors: those of WatchEvents.
  static absl::StatusOr<std::unique_ptr<FarWatch>> Start(Gateway& gateway, Interrupt& interrupt,
                                                         const std::string& service);
  ~FarWatch();
  FarWatch(const FarWatch&) = delete;
  FarWatch& operator=(const FarWatch&) = delete;

  // How many events have come: where a scene begins.
  size_t size() const;

  // Waits until `is_complete` is true of the events from number `first` on, which it returns, and
  // at most until `deadline`: what has come is then returned as it is. Errors: CANCELLED after
  // Ctrl-C, that of the watch where it has ended, UNAVAILABLE (EVENTS_LOST) when some did not come.
  absl::StatusOr<Events> Await(size_t first, const std::function<bool(const Events&)>& is_complete,
                               absl::Time deadline);

 private:
  explicit FarWatch(Interrupt& interrupt)
      : cancelled_(interrupt, [this] { context_.TryCancel(); }) {}
  void Read();

  // At most this many: more than any lesson makes, even where others use the service meanwhile.
  static constexpr size_t kMostEvents = 100'000;

  std::unique_ptr<control::v1::ControlService::Stub> stub_;
  grpc::ClientContext context_;
  const Interrupt::Scope cancelled_;
  std::unique_ptr<grpc::ClientReader<control::v1::WatchEventsResponse>> reader_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Events events_;
  bool lost_ = false;
  bool ended_ = false;
  absl::Status end_;
  std::thread thread_;
};

}  // namespace rawgate::cli::lab
