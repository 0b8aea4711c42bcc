#include <memory>
#include <utility>

#include "gateway/http/connect_call.h"
#include "gateway/http/connect_metadata.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {
namespace {

// Kept by gRPC's callback until the call has ended.
struct UnaryCall {
  ConnectStub stub;
  ConnectCall call;
  std::shared_ptr<http::Exchange> exchange;
  grpc::ClientContext context;
  grpc::ByteBuffer request;
  grpc::ByteBuffer response;

  void Finish(const grpc::Status& status);
};

void UnaryCall::Finish(const grpc::Status& status) {
  http::Response answer;
  const absl::StatusOr<std::string> body =
      status.ok() ? Encoded(response, call) : absl::StatusOr<std::string>("");
  if (!status.ok()) {
    answer = ErrorResponse(status);
  } else if (!body.ok()) {
    answer = ErrorResponse(rpc::ToGrpc(body.status()));
  } else {
    answer = {.status = 200,
              .fields = {{"content-type", ContentTypeOf(*call.method, call.codec)}},
              .body = *body};
  }
  for (const auto& fields : {FieldsOf(context.GetServerInitialMetadata()),
                             FieldsOf(context.GetServerTrailingMetadata(), "trailer-")}) {
    for (const auto& [name, value] : fields) answer.fields.Add(name, value);
  }
  exchange->Respond(std::move(answer));
}

}  // namespace

void StartUnaryCall(ConnectStub stub, ConnectCall call, std::shared_ptr<http::Exchange> exchange) {
  const auto started = std::make_shared<UnaryCall>();
  started->stub = std::move(stub);
  started->call = std::move(call);
  started->exchange = std::move(exchange);
  UnaryCall& made = *started;
  if (absl::Status bad = Prepare(made.exchange->request(), made.call, made.context); !bad.ok()) {
    return made.exchange->Respond(ErrorResponse(rpc::ToGrpc(bad)));
  }
  absl::StatusOr<grpc::ByteBuffer> message = MessageOf(made.call, 0);
  if (!message.ok()) return made.exchange->Respond(ErrorResponse(rpc::ToGrpc(message.status())));
  made.request = *std::move(message);
  made.exchange->DropBody();
  made.exchange->OnGone([weak = std::weak_ptr<UnaryCall>(started)] {
    if (const auto alive = weak.lock()) alive->context.TryCancel();
  });
  made.stub->UnaryCall(&made.context, made.call.method->path, grpc::StubOptions(), &made.request,
                       &made.response,
                       [started](const grpc::Status& status) { started->Finish(status); });
}

}  // namespace rawgate::gateway
