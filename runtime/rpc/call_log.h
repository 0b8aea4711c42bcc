// The log's line for a gRPC call that has ended.
#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/support/string_ref.h"
#include "spdlog/common.h"

namespace rawgate::rpc {

struct CallReport {
  // As the client named it: "/rawgate.echo.v1.EchoService/Echo".
  absl::string_view method;
  int code = 0;
  absl::Duration duration;
  // Who called; the user is empty when nobody knows. As URIs and names are.
  absl::string_view peer;
  absl::string_view user;
  // W3C Trace Context; empty when the client sent none that is well-formed.
  absl::string_view traceparent;
};

// Whether LogCall() would write anything.
bool CallsAreLogged(spdlog::level::level_enum level);
// One event, "call": any thread.
void LogCall(spdlog::level::level_enum level, const CallReport& report);

using ClientMetadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// The value of `key`, which lives as long as the metadata; empty when there is none or several.
absl::string_view OnlyValue(const ClientMetadata& metadata, absl::string_view key);
// That of "traceparent" if it is well-formed, else empty.
absl::string_view TraceparentIn(const ClientMetadata& metadata);

}  // namespace rawgate::rpc
