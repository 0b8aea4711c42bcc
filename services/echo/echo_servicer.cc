#include "services/echo/echo_servicer.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::echo {
namespace {

constexpr size_t kPayloadMax = 1 << 20;

absl::StatusOr<std::string> Transformed(v1::Transform wanted, Transform configured,
                                        const std::string& payload) {
  if (payload.size() > kPayloadMax) {
    return FieldError("payload", "PAYLOAD_TOO_LARGE",
                      absl::StrCat("payload is ", payload.size(), " bytes; at most ", kPayloadMax));
  }
  Transform transform = configured;
  switch (wanted) {
    case v1::TRANSFORM_UNSPECIFIED:
      break;
    case v1::TRANSFORM_UPPER:
      transform = Transform::kUpper;
      break;
    case v1::TRANSFORM_IDENTITY:
      transform = Transform::kIdentity;
      break;
    default:
      return FieldError("transform", "UNKNOWN_TRANSFORM",
                        absl::StrCat("unknown transform ", static_cast<int>(wanted)));
  }
  std::string result = payload;
  Apply(transform, result);
  return result;
}

// One conversation. gRPC serialises the reactions of one call; deleted in OnDone().
class Conversation final
    : public grpc::ServerBidiReactor<v1::ConverseRequest, v1::ConverseResponse> {
 public:
  Conversation(Transform configured, absl::StatusOr<rpc::Call> call) : configured_(configured) {
    if (!call.ok()) {
      Finish(rpc::ToGrpc(call.status()));
      return;
    }
    call_.emplace(*std::move(call));
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(call_->End(absl::OkStatus()));  // half-close, or cancelled
    call_->CountReceived(request_.payload().size());
    auto payload = Transformed(request_.transform(), configured_, request_.payload());
    if (!payload.ok()) return Finish(call_->End(payload.status()));
    response_.set_payload(*std::move(payload));
    call_->CountSent(response_.payload().size());
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(call_->End(absl::CancelledError("the client is gone")));
    StartRead(&request_);
  }

  void OnDone() override { delete this; }

 private:
  const Transform configured_;
  std::optional<rpc::Call> call_;
  v1::ConverseRequest request_;
  v1::ConverseResponse response_;
};

}  // namespace

grpc::ServerUnaryReactor* EchoServicer::Echo(grpc::CallbackServerContext* context,
                                             const v1::EchoRequest* request,
                                             v1::EchoResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "Echo");
  if (!call.ok()) {
    reactor->Finish(rpc::ToGrpc(call.status()));
    return reactor;
  }
  call->CountReceived(request->payload().size());
  call->Describe([&] { return absl::StrCat("echo of ", request->payload().size(), " bytes"); });
  auto payload = Transformed(request->transform(), configured_, request->payload());
  const absl::Status outcome = payload.status();
  if (payload.ok()) {
    call->CountSent(payload->size());
    response->set_payload(*std::move(payload));
  }
  reactor->Finish(call->End(outcome));
  return reactor;
}

grpc::ServerBidiReactor<v1::ConverseRequest, v1::ConverseResponse>* EchoServicer::Converse(
    grpc::CallbackServerContext* context) {
  return new Conversation(configured_, admission_.Admit(*context, "Converse"));
}

}  // namespace rawgate::echo
