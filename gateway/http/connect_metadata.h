// HTTP fields and gRPC metadata, one as the other.
// https://connectrpc.com/docs/protocol#unary-request: what is not the protocol's own is metadata;
// names that end in "-bin" carry base64.
#pragma once

#include <map>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/string_ref.h"
#include "runtime/http/message.h"

namespace rawgate::gateway {

// What the request says beyond HTTP and Connect, and who sends it (gateway/call_origin.h), whatever
// the request says itself. What gRPC would not send is left out. Error: INVALID_ARGUMENT
// (BAD_METADATA) for a "-bin" field that is no base64.
absl::Status AddRequestMetadata(const http::Request& request, grpc::ClientContext& to);

// Each as a field of its name, with `prefix` before it; without what is gRPC's own.
http::Fields FieldsOf(const std::multimap<grpc::string_ref, grpc::string_ref>& metadata,
                      absl::string_view prefix = {});

}  // namespace rawgate::gateway
