// Calls of one thread, one after another, that another thread can end.
#pragma once

#include <mutex>

#include "absl/synchronization/notification.h"
#include "grpcpp/grpcpp.h"

namespace rawgate::cli {

// Stop() and stopped() are for any thread, the rest for that of the calls.
class StoppableCall {
 public:
  // Before the call is made; `context` lives until End(). False after Stop(): it must not be made.
  bool Begin(grpc::ClientContext& context);
  void End();

  // Cancels the call that there is, and those to come. Does not block.
  void Stop();
  // Notified by Stop().
  const absl::Notification& stopped() const { return stopped_; }

 private:
  absl::Notification stopped_;
  std::mutex mutex_;
  // The call that is open.
  grpc::ClientContext* call_ = nullptr;
};

}  // namespace rawgate::cli
