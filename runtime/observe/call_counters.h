// What is counted of gRPC calls, method by method.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "runtime/observe/counters.h"
#include "runtime/observe/histogram.h"

namespace rawgate::observe {

// gRPC's status codes, from OK to UNAUTHENTICATED.
inline constexpr size_t kStatusCodes = 17;
// "OK", "NotFound", as go-grpc-prometheus writes them, whose dashboards are in use. Codes that are
// not among them are "Unknown".
absl::string_view StatusCodeLabel(size_t code);

// Of one method. Any thread.
struct CallCounters {
  Counter started;
  std::array<Counter, kStatusCodes> handled;
  Counter messages_received;
  Counter messages_sent;
  LatencyHistogram handling;

  // One call ended with `code`; codes that gRPC does not know count as UNKNOWN.
  void CountHandled(int code, absl::Duration duration);
};

}  // namespace rawgate::observe
