// How long connections may wait, each for what it waits.
#include "runtime/net/stream_listener.h"

namespace rawgate::net {
namespace {

using std::chrono::milliseconds;

// How late a deadline may be noticed.
constexpr milliseconds kSweepInterval{100};

}  // namespace

milliseconds StreamListener::Length(Wait wait) const {
  switch (wait) {
    case Wait::kIdle:
      return options_.idle_timeout;
    case Wait::kHeader:
      return options_.header_timeout;
    case Wait::kStall:
      return options_.stall_timeout;
    case Wait::kNone:
      break;
  }
  return milliseconds::max();
}

void StreamListener::Enqueue(Connection& connection) {
  const milliseconds length = Length(connection.wait_);
  connection.deadline_ =
      length == milliseconds::max() ? SteadyTime::max() : std::chrono::steady_clock::now() + length;
  waits_[static_cast<size_t>(connection.wait_)].push_back(connection);
}

void StreamListener::ScheduleSweep() {
  sweep_scheduled_ = true;
  sweep_timer_.expires_after(kSweepInterval);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    sweep_scheduled_ = false;
    Sweep();
    if (!connections_.empty()) ScheduleSweep();
  });
}

void StreamListener::Sweep() {
  static constexpr std::array<CloseReason, kWaits> kReasons = {
      CloseReason::kNone, CloseReason::kIdle, CloseReason::kHeaderDeadline, CloseReason::kStalled};
  const SteadyTime now = std::chrono::steady_clock::now();
  for (size_t wait = 0; wait < kWaits; ++wait) {
    // Close() takes the connection out of the queue.
    while (!waits_[wait].empty() && waits_[wait].front().deadline_ <= now) {
      waits_[wait].front().Close(kReasons[wait]);
    }
  }
}

}  // namespace rawgate::net
