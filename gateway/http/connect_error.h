// How the Connect protocol tells an error.
// https://connectrpc.com/docs/protocol#error-end-stream
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "grpcpp/support/status.h"
#include "runtime/http/message.h"

namespace rawgate::gateway {

// "not_found".
absl::string_view ConnectCode(grpc::StatusCode code);
// 404.
int HttpStatusOf(grpc::StatusCode code);

// {"code","message","details":[{"type","value","debug"}]}.
std::string ErrorJson(const grpc::Status& status);

// The last message of a stream: {"error":...,"metadata":{"name":["value",...]}}, without "error"
// for OK.
std::string EndStreamJson(const grpc::Status& status, const http::Fields& trailers);

}  // namespace rawgate::gateway
