// gRPC's own header fields, as its protocol over HTTP/2 has them
// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "runtime/http2/header_list.h"

namespace rawgate::gateway {

// The gateway's, to services.
inline constexpr char kUserAgent[] = "rawgate-gateway";

// "application/grpc", with or without a suffix such as "+proto".
bool IsGrpcContentType(absl::string_view content_type);

// "100m" is 100 ms: at most eight digits and a unit. nullopt for anything else.
std::optional<absl::Duration> ParseGrpcTimeout(absl::string_view value);
// As exactly as eight digits allow, rounded up; of what is over, the least there is.
std::string FormatGrpcTimeout(absl::Duration timeout);

// The value of grpc-message: everything but printable ASCII, and '%', as "%C3".
std::string PercentEncode(absl::string_view text);
// Takes what is no such sequence as it is.
std::string PercentDecode(absl::string_view text);

// grpc-status, and grpc-message and grpc-status-details-bin where there is something to say.
void AddGrpcStatus(const grpc::Status& status, http2::HeaderList& to);
// What `trailers` say; UNKNOWN without a status that is one.
grpc::Status GrpcStatusIn(const http2::HeaderList& trailers);

// What ended a call that has no status: the HTTP status of its answer (grpc's
// http-grpc-status-mapping.md), or the error code of its stream.
grpc::Status StatusOfHttp(absl::string_view http_status);
grpc::Status StatusOfReset(uint32_t error_code);

}  // namespace rawgate::gateway
