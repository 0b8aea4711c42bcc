// Telling a half-close from the end of a call: grpc++ reports both as a read that brings no
// message.
#pragma once

#include "grpc/grpc.h"
#include "grpcpp/impl/codegen/completion_queue_tag.h"
#include "runtime/rpc/coroutine.h"

namespace rawgate::rpc {

// `bool half_closed = co_await HalfClose(context.c_call());` after a failed read of that call, on
// the queue that it was accepted on. It reads once more, through gRPC's C interface, which keeps
// the two apart: a half-close is a successful read of nothing; after a reset the core remembers
// that the call failed; after a message over the limit, for which it cancels the call itself, every
// later read fails.
class [[nodiscard]] HalfClose final : public Completion,
                                      private grpc::internal::CompletionQueueTag {
 public:
  explicit HalfClose(grpc_call* call) : call_(call) {}
  ~HalfClose();

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  bool await_resume() const;

 private:
  // How grpc++ learns which of its users' tags an operation of the core stands for.
  bool FinalizeResult(void** tag, bool* ok) override;

  grpc_call* const call_;
  grpc_byte_buffer* message_ = nullptr;
};

}  // namespace rawgate::rpc
