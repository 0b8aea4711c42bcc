#include "services/echo/echo_servicer.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/status.h"
#include "runtime/rpc/raw_message.h"
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

// One conversation. gRPC serialises its reactions, but others may want its end at any time. Owned
// by itself until OnDone(), and by what others have posted.
class Conversation final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                           public std::enable_shared_from_this<Conversation> {
 public:
  Conversation(grpc::CallbackServerContext& context, Transform configured, rpc::Call call)
      : context_(context), configured_(configured), call_(std::move(call)) {}

  void Begin() {
    self_ = shared_from_this();
    StartRead(&request_);
    call_->OnEndRequested(
        [self = self_, &loop = call_->admission().service().loop()](const absl::Status& why) {
          boost::asio::post(loop, [self, why] { self->End(why); });
        });
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      return End(context_.IsCancelled() ? absl::CancelledError("the client is gone")
                                        : absl::OkStatus());  // half-close
    }
    if (absl::Status answered = Answer(); !answered.ok()) return End(answered);
    {
      const absl::MutexLock lock(&mutex_);
      if (end_) return;
      writing_ = true;
    }
    StartWrite(&response_);
  }

  void OnWriteDone(bool ok) override {
    std::optional<absl::Status> end;
    {
      const absl::MutexLock lock(&mutex_);
      writing_ = false;
      if (!ok && !end_) end_ = absl::CancelledError("the client is gone");
      end = end_;
    }
    if (end) return Finish(call_->End(*end));
    // Should the conversation have been ended by now, this read merely fails: the call, and this
    // object, last as long as this reaction.
    StartRead(&request_);
  }

  void OnDone() override {
    call_.reset();
    self_.reset();
  }

 private:
  // What request_ asks for, in response_.
  absl::Status Answer() {
    v1::ConverseRequest request;
    if (absl::Status parsed = rpc::Parse(&request_, &request); !parsed.ok()) return parsed;
    call_->CountReceived(request.payload().size());
    auto payload = Transformed(request.transform(), configured_, request.payload());
    if (!payload.ok()) return payload.status();
    v1::ConverseResponse response;
    response.set_payload(*std::move(payload));
    call_->CountSent(response.payload().size());
    response_ = rpc::Serialize(response);
    return absl::OkStatus();
  }

  // Only the first end counts. An answer that is being written is written first.
  void End(const absl::Status& status) {
    {
      const absl::MutexLock lock(&mutex_);
      if (end_) return;
      end_ = status;
      if (writing_) return;
    }
    Finish(call_->End(status));
  }

  grpc::CallbackServerContext& context_;
  const Transform configured_;
  std::shared_ptr<Conversation> self_;
  std::optional<rpc::Call> call_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  absl::Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

// One that was not admitted.
class Refusal final : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  explicit Refusal(const absl::Status& why) { Finish(rpc::ToGrpc(why)); }
  void OnDone() override { delete this; }
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

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* EchoServicer::Converse(
    grpc::CallbackServerContext* context) {
  absl::StatusOr<rpc::Call> call = admission_.Admit(*context, "Converse");
  if (!call.ok()) return new Refusal(call.status());
  const auto conversation = std::make_shared<Conversation>(*context, configured_, *std::move(call));
  conversation->Begin();
  return conversation.get();
}

}  // namespace rawgate::echo
