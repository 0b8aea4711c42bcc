// One forwarded call in the books: counted when it begins, its messages as they pass, and once how
// it ended, when it is logged as well.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/generic/async_generic_service.h"
#include "runtime/observe/call_counters.h"
#include "spdlog/common.h"

namespace rawgate::gateway {

// One thread. Counts nothing before Begin().
class CallAccount {
 public:
  // `counters` outlive this object; `level` is that of the line in the log.
  void Begin(observe::CallCounters& counters, spdlog::level::level_enum level);
  void CountReceived() {
    if (counters_ != nullptr) counters_->messages_received.Add();
  }
  void CountSent() {
    if (counters_ != nullptr) counters_->messages_sent.Add();
  }
  spdlog::level::level_enum level() const { return level_; }
  // Before the client is told, who then finds it counted. Only the first call counts. `user` is
  // empty when nobody knows who called.
  void End(const grpc::GenericServerContext& call, int code, absl::string_view user);

 private:
  // Null before the call begins, and once it has ended.
  observe::CallCounters* counters_ = nullptr;
  spdlog::level::level_enum level_ = spdlog::level::off;
  absl::Time began_;
};

}  // namespace rawgate::gateway
