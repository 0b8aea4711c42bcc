// One call, from its request messages to its end.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/call/reflected_schema.h"
#include "cli/call/request_source.h"
#include "cli/command.h"

namespace rawgate::cli {

struct CallOptions {
  // InfiniteDuration(): none.
  absl::Duration deadline = absl::InfiniteDuration();
  // Name in lower case, and value as it is.
  std::vector<std::pair<std::string, std::string>> headers = {};
  bool show_headers = false;
  bool defaults = false;
};

// Makes the call, prints answers as they come to standard output, and what went wrong to standard
// error. Returns the exit code: 0, 1 when the server answered an error, or 2 for a request that is
// not good. Errors: those of writing, and of a call that `context.interrupt` ended.
absl::StatusOr<int> RunCall(const ReflectedSchema& schema,
                            const google::protobuf::MethodDescriptor& method, RequestSource source,
                            const CallOptions& options, Context& context);

// "name: value" or "name=value", as gRPC takes it; the value of a name that ends in "-bin" is in
// base64. Error: INVALID_ARGUMENT (BAD_HEADER).
absl::StatusOr<std::pair<std::string, std::string>> ParseHeader(absl::string_view text);

}  // namespace rawgate::cli
