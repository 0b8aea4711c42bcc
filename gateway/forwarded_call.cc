#include "gateway/forwarded_call.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gateway/backend.h"
#include "gateway/metadata.h"
#include "runtime/base/status.h"
#include "runtime/rpc/call_log.h"
#include "runtime/rpc/half_close.h"
#include "runtime/rpc/status.h"

// The status came in place of the headers. libgrpc exports it (src/core/lib/surface/call.h) for
// grpc++'s own callback API, and no public header tells the same. One without it, or with other
// parameters, does not link.
bool grpc_call_is_trailers_only(const grpc_call* call);

namespace rawgate::gateway {

absl::Status ForwardedCall::PassGate(const AccessGate& gate) {
  absl::StatusOr<Caller> caller = gate.Admit(client_context_, method());
  if (caller.ok()) {
    caller_ = *std::move(caller);
  } else if (rpc::CallsAreLogged(account_.level())) {
    // Whose role was too low should be known.
    caller_ = gate.CallerOf(client_context_);
  }
  return caller.status();
}

rpc::Task ForwardedCall::Refuse(absl::Status status) { co_await Finish(rpc::ToGrpc(status)); }

rpc::Task ForwardedCall::ForwardUnary(Destination destination, absl::Duration ceiling) {
  const absl::Time due = absl::Now() + ceiling;
  client_due_ = due;
  awaits_request_ = true;
  grpc::ByteBuffer request;
  const bool came = co_await rpc::Operation([&](void* tag) { client_.Read(&request, tag); });
  awaits_request_ = false;
  client_due_ = absl::InfiniteFuture();
  if (farewell_.has_value()) {
    rpc::Task farewell = *std::move(farewell_);
    co_await farewell;
    co_return;
  }
  if (!came) {
    // The client is gone, half-closed at once, or sent too much. gRPC itself has answered the last
    // of these.
    co_await Refuse(Error(absl::StatusCode::kInvalidArgument, "REQUEST_MISSING",
                          absl::StrCat(method(), " takes one message, and none came")));
    co_return;
  }
  account_.CountReceived();
  OpenBackendLeg(due, destination);
  grpc::ByteBuffer response;
  auto backend =
      destination.stub.PrepareUnaryCall(backend_context_.get(), method(), request, queue_);
  request.Clear();
  backend->StartCall();
  co_await rpc::Operation([&](void* tag) { backend->Finish(&response, &backend_status_, tag); });

  CopyInitialMetadata(*backend_context_, client_context_);
  CopyTrailingMetadata(*backend_context_, client_context_);
  // With the client's call gRPC would cancel this one, its child, however well it has ended, which
  // is a tenth of all the work.
  backend.reset();
  backend_context_.reset();
  AwaitTaking(response, ceiling);
  const grpc::Status status = ForClient(backend_status_, destination);
  if (!status.ok()) {
    co_await Finish(status);
    co_return;
  }
  account_.CountSent();
  Book(status);
  co_await rpc::Operation(
      [&](void* tag) { client_.WriteAndFinish(response, grpc::WriteOptions(), status, tag); });
}

rpc::Task ForwardedCall::ForwardStream(Destination destination, absl::Duration ceiling) {
  client_due_ = absl::Now() + ceiling;
  OpenBackendLeg(absl::InfiniteFuture(), destination);
  backend_ = destination.stub.PrepareCall(backend_context_.get(), method(), queue_);
  // When this fails the status tells why.
  co_await rpc::Operation([&](void* tag) { backend_->StartCall(tag); });

  rpc::Task requests = ForwardRequests();
  co_await ForwardResponses(ceiling);
  co_await Finish(ForClient(backend_status_, destination));
  // The server's end of the stream is closed both ways by now, so a read that waits for the client
  // ends too.
  co_await requests;
}

void ForwardedCall::EndIfLate(absl::Time now) {
  if (now >= taking_due_) {
    taking_due_ = absl::InfiniteFuture();
    // A status would have to wait behind the answer.
    return client_context_.TryCancel();
  }
  if (now < client_due_) return;
  client_due_ = absl::InfiniteFuture();
  End(Error(absl::StatusCode::kDeadlineExceeded, "DEADLINE_EXCEEDED",
            absl::StrCat("no request of ", method(), " came in time")));
}

void ForwardedCall::EndIfForbidden(const AccessGate& gate) {
  absl::Status allowed = gate.Recheck(client_context_, method(), caller_);
  if (!allowed.ok()) End(std::move(allowed));
}

void ForwardedCall::AwaitTaking(const grpc::ByteBuffer& answer, absl::Duration ceiling) {
  const size_t parts = answer.Valid() ? answer.Length() / kTakenBytesMin : 0;
  taking_due_ = absl::Now() + ceiling * static_cast<double>(parts + 1);
}

void ForwardedCall::End(absl::Status status) {
  if (ended_.has_value()) return;
  ended_ = std::move(status);
  if (backend_context_ != nullptr) backend_context_->TryCancel();
  // This closes the stream both ways, so the read ends, and with it the call.
  if (awaits_request_) farewell_.emplace(Finish(rpc::ToGrpc(*ended_)));
}

// The backend's call is the client call's child: it inherits its deadline, and is cancelled with
// it.
void ForwardedCall::OpenBackendLeg(absl::Time deadline, const Destination& destination) {
  backend_context_ = grpc::ClientContext::FromServerContext(client_context_);
  const gpr_timespec own = client_context_.raw_deadline();
  const bool unlimited = gpr_time_cmp(own, gpr_inf_future(own.clock_type)) == 0;
  if (unlimited && deadline != absl::InfiniteFuture()) {
    backend_context_->set_deadline(absl::ToChronoTime(deadline));
  }
  if (destination.channels.Expecting()) backend_context_->set_wait_for_ready(true);
  CopyRequestMetadata(client_context_, caller_, *backend_context_);
  if (ended_.has_value()) backend_context_->TryCancel();
}

rpc::Task ForwardedCall::ForwardRequests() {
  grpc::ByteBuffer message;
  while (co_await rpc::Operation([&](void* tag) { client_.Read(&message, tag); })) {
    client_due_ = absl::InfiniteFuture();
    account_.CountReceived();
    if (backend_finished_) co_return;
    if (!co_await rpc::Operation([&](void* tag) { backend_->Write(message, tag); })) co_return;
  }
  client_due_ = absl::InfiniteFuture();
  // Only a client that half-closed has sent everything: an upload whose client vanished must not
  // look whole to the backend.
  if (!co_await rpc::HalfClose(client_context_.c_call()) || backend_finished_) co_return;
  co_await rpc::Operation([&](void* tag) { backend_->WritesDone(tag); });
}

rpc::Task ForwardedCall::ForwardResponses(absl::Duration ceiling) {
  bool client_listens = true;
  if (co_await rpc::Operation([&](void* tag) { backend_->ReadInitialMetadata(tag); })) {
    CopyInitialMetadata(*backend_context_, client_context_);
    // Headers and status in one stay one: a client's library tries a call again only if nothing,
    // headers included, has come in answer to it.
    if (!grpc_call_is_trailers_only(backend_context_->c_call()))
      client_listens =
          co_await rpc::Operation([&](void* tag) { client_.SendInitialMetadata(tag); });
  }
  grpc::ByteBuffer message;
  // Not one condition: g++ 12 awaits the right side of `a && co_await b` in a while even when `a`
  // is false.
  while (client_listens) {
    if (!co_await rpc::Operation([&](void* tag) { backend_->Read(&message, tag); })) break;
    account_.CountSent();
    AwaitTaking(message, ceiling);
    client_listens = co_await rpc::Operation([&](void* tag) { client_.Write(message, tag); });
    taking_due_ = absl::InfiniteFuture();
  }
  // A cancelled leg is finished without reading what is still on its way.
  if (!client_listens) backend_context_->TryCancel();
  backend_finished_ = true;
  co_await rpc::Operation([&](void* tag) { backend_->Finish(&backend_status_, tag); });
  CopyTrailingMetadata(*backend_context_, client_context_);
}

rpc::Task ForwardedCall::Finish(const grpc::Status& status) {
  Book(status);
  // Fails when the client is gone, which changes nothing here.
  co_await rpc::Operation([&](void* tag) { client_.Finish(status, tag); });
}

void ForwardedCall::Book(const grpc::Status& status) {
  account_.End(client_context_, status.error_code(), caller_.name);
}

grpc::Status ForwardedCall::ForClient(const grpc::Status& status,
                                      const Destination& destination) const {
  if (ended_.has_value() && status.error_code() == grpc::StatusCode::CANCELLED) {
    return rpc::ToGrpc(*ended_);
  }
  // No replica takes new calls, which its health told, and gRPC knows no more than that.
  const bool found_none =
      status.error_code() == grpc::StatusCode::UNAVAILABLE && status.error_details().empty();
  if (found_none && destination.channels.leaving()) return rpc::ToGrpc(DrainingError());
  return StatusForClient(status, destination.backend);
}

}  // namespace rawgate::gateway
