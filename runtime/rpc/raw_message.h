// Messages of methods that take and give bytes ("raw" ones, as gRPC's generator names them), for
// streams from a client. gRPC itself ends a stream whose message it cannot parse exactly like one
// that the client has half-closed: the server would take half of what was meant for the whole.
#pragma once

#include "absl/status/status.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "runtime/base/status.h"

namespace rawgate::rpc {

// Uses `bytes` up. Error: INVALID_ARGUMENT (MALFORMED_MESSAGE).
template <typename Message>
absl::Status Parse(grpc::ByteBuffer* bytes, Message* message) {
  const grpc::Status parsed = grpc::SerializationTraits<Message>::Deserialize(bytes, message);
  if (parsed.ok()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_MESSAGE",
               "a message is no " + std::string(Message::descriptor()->full_name()));
}

template <typename Message>
grpc::ByteBuffer Serialize(const Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  // Fails only for proto2's required fields.
  (void)grpc::SerializationTraits<Message>::Serialize(message, &bytes, &own);
  return bytes;
}

}  // namespace rawgate::rpc
