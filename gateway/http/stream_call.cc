#include <memory>
#include <utility>

#include "gateway/http/connect_call.h"
#include "gateway/http/connect_error.h"
#include "gateway/http/connect_metadata.h"
#include "gateway/http/envelope.h"
#include "grpcpp/support/client_callback.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

// Owns itself until OnDone(). The next message is read when the client has taken the last one, so a
// slow client slows the service. A hold of gRPC's spans the time between two reads.
class StreamCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  static void Start(ConnectStub stub, ConnectCall call, std::shared_ptr<http::Exchange> exchange) {
    const std::shared_ptr<StreamCall> made(
        new StreamCall(std::move(stub), std::move(call), std::move(exchange)));
    absl::Status bad = Prepare(made->exchange_->request(), made->call_, made->context_);
    if (bad.ok()) bad = made->DecodeNext();
    if (!bad.ok()) {
      made->exchange_->Respond(RefusalOf(*made->call_.method, made->call_.codec, rpc::ToGrpc(bad)));
      return;
    }
    made->self_ = made;
    made->Begin();
  }

  void OnReadInitialMetadataDone(bool) override {
    Head();
    StartRead(&response_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    const absl::StatusOr<std::string> message = Encoded(response_, call_);
    if (!message.ok()) {
      failed_ = message.status();
      context_.TryCancel();
      return RemoveHold();
    }
    exchange_->Write(Enveloped(0, *message), [self = self_](bool taken) {
      if (taken) return self->StartRead(&self->response_);
      self->context_.TryCancel();
      self->RemoveHold();
    });
  }

  void OnWriteDone(bool ok) override {
    if (!ok || sent_ >= call_.messages.size()) return;
    bad_message_ = DecodeNext();
    if (bad_message_.ok()) return SendNext();
    context_.TryCancel();
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<StreamCall> self = std::move(self_);
    Head();
    if (failed_.ok()) failed_ = bad_message_;
    const grpc::Status told = failed_.ok() ? status : rpc::ToGrpc(failed_);
    const std::string last = EndStreamJson(told, FieldsOf(context_.GetServerTrailingMetadata()));
    // A client that is gone takes nothing any more, and the exchange is let go of.
    exchange_->Write(Enveloped(kEnvelopeEndStream, last), [exchange = exchange_](bool taken) {
      if (taken) exchange->End();
    });
  }

 private:
  StreamCall(ConnectStub stub, ConnectCall call, std::shared_ptr<http::Exchange> exchange)
      : stub_(std::move(stub)), call_(std::move(call)), exchange_(std::move(exchange)) {}

  void Begin() {
    exchange_->OnGone([weak = std::weak_ptr<StreamCall>(self_)] {
      if (const auto alive = weak.lock()) alive->context_.TryCancel();
    });
    stub_->PrepareBidiStreamingCall(&context_, call_.method->path, grpc::StubOptions(), this);
    AddHold();
    SendNext();
    StartCall();
  }

  // Makes request_ of the next message, if there is one; after the last one the body is needed no
  // more.
  absl::Status DecodeNext() {
    if (sent_ < call_.messages.size()) {
      absl::StatusOr<grpc::ByteBuffer> message = MessageOf(call_, sent_);
      if (!message.ok()) return message.status();
      request_ = *std::move(message);
      ++sent_;
    }
    if (sent_ >= call_.messages.size()) exchange_->DropBody();
    return absl::OkStatus();
  }

  // Sends request_; the last one, or none at all, ends our direction.
  void SendNext() {
    if (call_.messages.empty()) return StartWritesDone();
    if (sent_ < call_.messages.size()) {
      StartWrite(&request_);
    } else {
      StartWriteLast(&request_, grpc::WriteOptions());
    }
  }

  // Begins the answer, unless that has been done.
  void Head() {
    if (std::exchange(begun_, true)) return;
    http::Response head{.status = 200,
                        .fields = {{"content-type", ContentTypeOf(*call_.method, call_.codec)}},
                        .body = {}};
    for (const auto& [name, value] : FieldsOf(context_.GetServerInitialMetadata())) {
      head.fields.Add(name, value);
    }
    exchange_->Begin(std::move(head));
  }

  const ConnectStub stub_;
  const ConnectCall call_;
  const std::shared_ptr<http::Exchange> exchange_;
  std::shared_ptr<StreamCall> self_;
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  size_t sent_ = 0;
  bool begun_ = false;
  // Why the gateway ended it: of answers, and of requests.
  absl::Status failed_;
  absl::Status bad_message_;
};

}  // namespace

void StartStreamCall(ConnectStub stub, ConnectCall call, std::shared_ptr<http::Exchange> exchange) {
  StreamCall::Start(std::move(stub), std::move(call), std::move(exchange));
}

}  // namespace rawgate::gateway
