// One WatchTime stream.
#pragma once

#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "rawgate/time/v1/time_service.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/stream_writer.h"
#include "services/time/time_core.h"
#include "services/time/time_formatter.h"
#include "services/time/time_ticks.h"

namespace rawgate::timesvc {

// What a WatchTimeRequest asks for.
struct WatchOptions {
  TimeFormatter formatter;
  absl::Duration interval;
};
// Errors: INVALID_ARGUMENT (BAD_INTERVAL), and as for TimeFormatter::Make().
absl::StatusOr<WatchOptions> ToWatchOptions(const time::v1::WatchTimeRequest& request);

// Shared by its owner and by what is under way for it. Loop thread, but for construction and
// Open(). Nothing is queued: while a message is being written, ticks pass.
class TimeWatch : public std::enable_shared_from_this<TimeWatch> {
 public:
  using Writer = rpc::StreamWriter<time::v1::WatchTimeResponse>;

  // `core` and `loop` outlive this object.
  TimeWatch(TimeCore& core, boost::asio::io_context& loop, rpc::Call call)
      : core_(core), loop_(loop), timer_(loop), call_(std::move(call)) {}

  // The stream to give to gRPC. First of all and once; `on_end` is called, on the loop thread, when
  // the watch ends.
  Writer* Open(std::function<void()> on_end);
  // Sends the headers, so that the client knows that it misses nothing from here on, and then every
  // tick.
  void Start(WatchOptions options);
  // The clock was set: the wait for the next tick is another one now.
  void ClockWasSet();
  // Finishes the stream; only the first call counts.
  void End(const absl::Status& status);

 private:
  // Runs `step` on the loop thread, in a later turn, unless the watch has ended by then.
  void Post(std::function<void()> step);
  // Sends the tick that the clock has reached, or waits for the next. However fast the test clock
  // runs, a watch does so ten times a second at most.
  void Advance();
  void Send(const TickSequence::Tick& tick);
  FormattedTime Text(absl::Time tick);

  TimeCore& core_;
  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  std::function<void()> on_end_;
  // Null once ended.
  Writer* writer_ = nullptr;
  // Until the client has read all: one that does not is listed as long.
  std::optional<rpc::Call> call_;
  // Since Start().
  std::optional<TimeFormatter> formatter_;
  std::optional<TickSequence> ticks_;
  // No conversion tells less than a second: what was made of the last one.
  std::optional<std::time_t> second_;
  FormattedTime text_;
  // A message is on its way; on_room tells when it is no longer.
  bool writing_ = false;
};

}  // namespace rawgate::timesvc
