// One call on its way through: a client's leg (server side) and a backend's leg (client side),
// joined message by message without decoding. All of it runs on one lane's thread.
//
// At most one message is held in each direction: the next is read only when the other leg has taken
// the last, so a slow reader at one end slows the writer at the other by HTTP/2's own flow control.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gateway/coroutine.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"

namespace rawgate::gateway {

// Where a call goes.
struct Destination {
  // For error messages.
  const std::string& backend;
  grpc::GenericStub& stub;
};

class ForwardedCall {
 public:
  // `queue` is polled by this lane.
  explicit ForwardedCall(grpc::ServerCompletionQueue* queue) : queue_(queue) {}

  // Awaits the next call that a client makes of the server; false when the server has been shut
  // down.
  auto Accept(grpc::AsyncGenericService& service) {
    return Operation([this, &service](void* tag) {
      service.RequestCall(&client_context_, &client_, queue_, queue_, tag);
    });
  }

  // "/rawgate.echo.v1.EchoService/Echo"; after Accept().
  const std::string& method() const { return client_context_.method(); }

  // The three ways to serve the call; each ends it.
  Task Refuse(absl::Status status);
  // Without a deadline of the client's the backend gets `ceiling`.
  Task ForwardUnary(Destination destination, absl::Duration ceiling);
  Task ForwardStream(Destination destination);

  // Cancels the call if the client's first message has not come by then: a call without it takes a
  // place and does nothing.
  void CancelIfLate(absl::Time now, absl::Duration limit);

  // Ends a call being forwarded: the client gets `status` unless the backend's answer is already on
  // its way.
  void End(absl::Status status);

 private:
  void OpenBackendLeg(absl::Duration ceiling);
  Task ForwardRequests();
  Task ForwardResponses();
  Task Finish(const grpc::Status& status);
  // What the client is told when the backend's leg ended with `status`.
  grpc::Status ForClient(const grpc::Status& status, const std::string& backend) const;

  grpc::ServerCompletionQueue* const queue_;
  grpc::GenericServerContext client_context_;
  grpc::GenericServerAsyncReaderWriter client_{&client_context_};
  std::unique_ptr<grpc::ClientContext> backend_context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> backend_;
  grpc::Status backend_status_;
  // The backend has said everything; its leg takes no more requests.
  bool backend_finished_ = false;
  std::optional<absl::Status> ended_;
  // When it began to be forwarded.
  absl::Time begun_;
  bool first_message_came_ = false;
};

}  // namespace rawgate::gateway
