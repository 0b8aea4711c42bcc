#include "runtime/rpc/half_close.h"

#include <cstdlib>

namespace rawgate::rpc {

HalfClose::~HalfClose() {
  if (message_ != nullptr) grpc_byte_buffer_destroy(message_);
}

void HalfClose::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  grpc_op read{};
  read.op = GRPC_OP_RECV_MESSAGE;
  read.data.recv_message.recv_message = &message_;
  auto* const tag = static_cast<grpc::internal::CompletionQueueTag*>(this);
  // Only misuse fails here, and a waiter that is never resumed would be worse.
  if (grpc_call_start_batch(call_, &read, 1, tag, nullptr) != GRPC_CALL_OK) std::abort();
}

bool HalfClose::await_resume() const {
  return ok_ && message_ == nullptr && grpc_call_failed_before_recv_message(call_) == 0;
}

bool HalfClose::FinalizeResult(void** tag, bool*) {
  *tag = static_cast<void*>(static_cast<Completion*>(this));
  return true;
}

}  // namespace rawgate::rpc
