// One call of the Connect protocol, read from its request and carried out over gRPC.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/client_context.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "runtime/http/exchange.h"

namespace rawgate::gateway {

struct ConnectMethod {
  const google::protobuf::MethodDescriptor* descriptor;
  // "/rawgate.echo.v1.EchoService/Echo".
  std::string path;
  // One message each way.
  bool unary;
  // Asks without changing anything, so GET does it too.
  bool reads;
};

enum class ConnectCodec { kJson, kProto };

struct ConnectCall {
  const ConnectMethod* method;
  ConnectCodec codec;
  // As they were sent. They live as long as the request's body, or as `of_query`.
  std::vector<absl::string_view> messages;
  std::shared_ptr<const std::string> of_query;
  // When the client gives up; infinite when it does not say.
  absl::Time deadline;
};

// What the request asks of `method`. Errors: INVALID_ARGUMENT (BAD_PROTOCOL_VERSION, BAD_TIMEOUT,
// BAD_QUERY, BAD_ENVELOPE), UNIMPLEMENTED (COMPRESSED), RESOURCE_EXHAUSTED (TOO_MANY_MESSAGES),
// DEADLINE_EXCEEDED (DEADLINE_EXCEEDED) when no time is given.
absl::StatusOr<ConnectCall> ReadConnectCall(const http::Request& request,
                                            const ConnectMethod& method, ConnectCodec codec);

// "application/json", "application/connect+json" for a stream, and so on.
std::string ContentTypeOf(const ConnectMethod& method, ConnectCodec codec);

// What the client is answered when its call is not made at all.
http::Response RefusalOf(const ConnectMethod& method, ConnectCodec codec,
                         const grpc::Status& status);
// The whole answer of a unary call that failed.
http::Response ErrorResponse(const grpc::Status& status);

// Both make the call and answer `exchange`; a client that leaves cancels it.
using ConnectStub = std::shared_ptr<grpc::GenericStub>;
void StartUnaryCall(ConnectStub stub, ConnectCall call, std::shared_ptr<http::Exchange> exchange);
// Streams both ways, but the client has said everything before: HTTP/1.1 has no more.
void StartStreamCall(ConnectStub stub, ConnectCall call, std::shared_ptr<http::Exchange> exchange);

// Shared by both.
// In binary; a stream's are decoded one by one as they are sent. Error: INVALID_ARGUMENT
// (BAD_JSON).
absl::StatusOr<grpc::ByteBuffer> MessageOf(const ConnectCall& call, size_t index);
// Error: INTERNAL (BAD_RESPONSE).
absl::StatusOr<std::string> Encoded(const grpc::ByteBuffer& message, const ConnectCall& call);
// Metadata and deadline. Error: INVALID_ARGUMENT (BAD_METADATA).
absl::Status Prepare(const http::Request& request, const ConnectCall& call,
                     grpc::ClientContext& context);

}  // namespace rawgate::gateway
