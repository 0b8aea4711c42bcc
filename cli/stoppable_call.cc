#include "cli/stoppable_call.h"

namespace rawgate::cli {

bool StoppableCall::Begin(grpc::ClientContext& context) {
  const std::lock_guard lock(mutex_);
  if (stopped_.HasBeenNotified()) return false;
  call_ = &context;
  return true;
}

void StoppableCall::End() {
  const std::lock_guard lock(mutex_);
  call_ = nullptr;
}

void StoppableCall::Stop() {
  const std::lock_guard lock(mutex_);
  if (stopped_.HasBeenNotified()) return;
  stopped_.Notify();
  if (call_ != nullptr) call_->TryCancel();
}

}  // namespace rawgate::cli
