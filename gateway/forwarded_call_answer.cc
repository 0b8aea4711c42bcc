// A forwarded call's way to a replica, and the answer's way back.
#include <utility>

#include "absl/random/distributions.h"
#include "gateway/backend_error.h"
#include "gateway/call_headers.h"
#include "gateway/client_session.h"
#include "gateway/forwarded_call.h"
#include "gateway/grpc_wire.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

using http2::HeaderList;

// ---- The way to a replica

void ForwardedCall::Attempt() {
  if (finished_ || buried_) return;
  retry_due_ = kNever;
  Upstream* const upstream = pool_->Next(unary());
  if (upstream == nullptr) {
    if (pool_->MayWait()) return pool_->Wait(*this);
    return Finish(pool_->Failure(), {});
  }
  ++attempts_;
  const std::string peer = session_.PeerOf(fields_);
  ForwardedRequest request{
      .fields = fields_, .caller = caller_, .peer = peer, .attempts = attempts_ - 1};
  if (deadline_ != kNever) request.time_left = absl::FromChrono(deadline_ - context_.loop.now());
  const HeaderList headers = RequestToBackend(request, {upstream->authority(), upstream->scheme()});
  if (!upstream->Begin(backend_, headers)) return Finish(pool_->Failure(), {});
  // It is there twice now.
  if (unary() && !Hold(request_.size())) return;
  backend_.Write(request_);
  if (!unary()) request_.clear();
  if (request_ended_) backend_.EndWriting();
}

bool ForwardedCall::TryAgain(const grpc::Status& status, bool untouched) {
  if (!unary() || responded_) return false;
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE || attempts_ >= kAttemptsMax)
    return false;
  if (!untouched && !IsIdempotent(*route_->method)) return false;
  Release(backend_.unsent());
  backend_.Abandon(http2::kCancel);
  if (untouched) {
    Attempt();
    return true;
  }
  const auto most =
      std::chrono::duration_cast<std::chrono::microseconds>(kRetryBackoff) * (1 << (attempts_ - 1));
  retry_due_ = context_.loop.now() +
               std::chrono::microseconds(absl::Uniform<int64_t>(context_.random, 0, most.count()));
  context_.deadlines.SetBy(*this, retry_due_);
  return true;
}

// ---- The answer

void ForwardedCall::OnResponse(const HeaderList& fields, bool end) {
  if (finished_) return;
  if (responded_) return OnTrailers(fields);
  const absl::string_view http_status = fields.Find(":status");
  if (http_status != "200") {
    backend_.Abandon(http2::kCancel);
    return Finish(StatusForClient(StatusOfHttp(http_status), pool_->name()), {});
  }
  if (end) return OnTrailers(fields);
  responded_ = true;
  if (unary()) {
    Release(request_.size());
    request_ = std::string();
  }
  client_.SendHeaders(ResponseToClient(fields), /*end=*/false);
}

void ForwardedCall::OnTrailers(const HeaderList& fields) {
  const grpc::Status status = GrpcStatusIn(fields);
  if (TryAgain(status, /*untouched=*/false)) return;
  if (own_ || fields.Find("grpc-status-details-bin").data() != nullptr || status.ok()) {
    if (fields.Find("grpc-status").data() != nullptr)
      return FinishWith(status.error_code(), PassTrailers(fields, !responded_));
  }
  Finish(StatusForClient(status, pool_->name()), fields);
}

void ForwardedCall::OnResponseBytes(absl::string_view bytes) {
  if (finished_) return backend_.Consume(bytes.size());
  if (!own_ && !CheckMessages(response_scanner_, bytes, false)) return;
  if (!Hold(bytes.size())) return;
  client_.Write(bytes);
  AwaitTaking();
}

void ForwardedCall::OnResponseEnd() {
  if (finished_) return;
  backend_.Abandon(http2::kCancel);
  Finish(StatusForClient(GrpcStatusIn({}), pool_->name()), {});
}

void ForwardedCall::OnResponseSent(size_t bytes) {
  Release(bytes);
  taken_ += bytes;
  if (client_.unsent() == 0) taking_due_ = kNever;
  backend_.Consume(bytes);
}

void ForwardedCall::OnBackendClosed(uint32_t error_code) {
  if (finished_) return;
  const grpc::Status status = StatusOfReset(error_code);
  if (TryAgain(status, error_code == http2::kRefused)) return;
  Finish(StatusForClient(status, pool_->name()), {});
}

void ForwardedCall::End(const absl::Status& status) {
  if (finished_) return;
  Finish(rpc::ToGrpc(status), {});
}

void ForwardedCall::Finish(const grpc::Status& status, const HeaderList& fields) {
  FinishWith(status.error_code(), TrailersToClient(fields, status, !responded_));
}

void ForwardedCall::FinishWith(int code, HeaderList trailers) {
  finished_ = true;
  backend_.Abandon(http2::kCancel);
  StopWaiting();
  Book(code);
  Release(request_.size() + fields_.bytes());
  request_ = std::string();
  fields_ = HeaderList();
  deadline_ = request_due_ = retry_due_ = kNever;
  if (responded_) {
    client_.EndWithTrailers(std::move(trailers));
  } else {
    client_.SendHeaders(trailers, /*end=*/true);
  }
  AwaitTaking();
}

}  // namespace rawgate::gateway
