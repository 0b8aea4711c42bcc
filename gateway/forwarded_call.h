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
#include "gateway/access_gate.h"
#include "gateway/call_account.h"
#include "gateway/call_shares.h"
#include "gateway/forwarding_channels.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "runtime/rpc/coroutine.h"

namespace rawgate::gateway {

// Where a call goes.
struct Destination {
  // For error messages.
  const std::string& backend;
  grpc::GenericStub stub;
  // Where the stub is from.
  ForwardingChannels& channels;
};

class ForwardedCall {
 public:
  static constexpr size_t kTakenBytesMin = 64 << 10;

  // `queue` is polled by this lane.
  explicit ForwardedCall(grpc::ServerCompletionQueue* queue) : queue_(queue) {}

  // Awaits the next call that a client makes of the server; false when the server has been shut
  // down.
  auto Accept(grpc::AsyncGenericService& service) {
    return rpc::Operation([this, &service](void* tag) {
      service.RequestCall(&client_context_, &client_, queue_, queue_, tag);
    });
  }

  // "/rawgate.echo.v1.EchoService/Echo"; after Accept().
  const std::string& method() const { return client_context_.method(); }

  // Its entry in the books, to be begun before the call is served.
  CallAccount& account() { return account_; }

  // Whose calls it is counted among; after PassGate(). See ShareHolderOf().
  std::string ShareHolder() const { return ShareHolderOf(client_context_, caller_.name); }

  // May its client make it? What Forward...() tells the backend of him, and the books say, is known
  // from then on. Errors: of AccessGate::Admit().
  absl::Status PassGate(const AccessGate& gate);

  // The three ways to serve the call; each ends it.
  rpc::Task Refuse(absl::Status status);
  // `ceiling` bounds each of the client's turns, whatever its own deadline says, since a call takes
  // a place while it waits: to bring the request, or a stream's first one, and to take an answer,
  // of which it has to take kTakenBytesMin within each ceiling. A unary call without a deadline
  // also has to be answered within it, from now on.
  rpc::Task ForwardUnary(Destination destination, absl::Duration ceiling);
  rpc::Task ForwardStream(Destination destination, absl::Duration ceiling);

  // To be called now and then: ends the call if it is the client's turn and that has lasted too
  // long, with DEADLINE_EXCEEDED; one that does not take its answer is cut off.
  void EndIfLate(absl::Time now);

  // To be called when users have changed: ends the call if its client could not make it now, with
  // what AccessGate::Recheck() says.
  void EndIfForbidden(const AccessGate& gate);

  // Ends a call being forwarded, or whose request is awaited: the client gets `status` unless the
  // backend's answer is already on its way.
  void End(absl::Status status);

 private:
  // `deadline` is for clients that have none.
  void OpenBackendLeg(absl::Time deadline, const Destination& destination);
  rpc::Task ForwardRequests();
  rpc::Task ForwardResponses(absl::Duration ceiling);
  // The client's turn to take `answer`.
  void AwaitTaking(const grpc::ByteBuffer& answer, absl::Duration ceiling);
  rpc::Task Finish(const grpc::Status& status);
  // The client is about to be told.
  void Book(const grpc::Status& status);
  // What the client is told when the backend's leg ended with `status`.
  grpc::Status ForClient(const grpc::Status& status, const Destination& destination) const;

  grpc::ServerCompletionQueue* const queue_;
  CallAccount account_;
  grpc::GenericServerContext client_context_;
  grpc::GenericServerAsyncReaderWriter client_{&client_context_};
  Caller caller_;
  std::unique_ptr<grpc::ClientContext> backend_context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> backend_;
  grpc::Status backend_status_;
  // The backend has said everything; its leg takes no more requests.
  bool backend_finished_ = false;
  std::optional<absl::Status> ended_;
  // When the client's turn is over; never when it is not its turn. The first is to bring a request,
  // the second to take an answer: a stream may wait for both.
  absl::Time client_due_ = absl::InfiniteFuture();
  absl::Time taking_due_ = absl::InfiniteFuture();
  // The only message of a unary call is being read; nobody else says anything meanwhile.
  bool awaits_request_ = false;
  // What End() said to the client while the request was awaited.
  std::optional<rpc::Task> farewell_;
};

}  // namespace rawgate::gateway
