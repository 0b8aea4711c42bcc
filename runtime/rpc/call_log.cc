#include "runtime/rpc/call_log.h"

#include "absl/status/status.h"
#include "runtime/base/log.h"
#include "runtime/base/traceparent.h"

namespace rawgate::rpc {

bool CallsAreLogged(spdlog::level::level_enum level) { return spdlog::should_log(level); }

void LogCall(spdlog::level::level_enum level, const CallReport& report) {
  const std::string code = absl::StatusCodeToString(static_cast<absl::StatusCode>(report.code));
  Log(level, "call",
      {{"method", report.method},
       {"code", code},
       {"duration_ms", absl::ToDoubleMilliseconds(report.duration)},
       {"peer", report.peer},
       {"user", report.user},
       {"traceparent", report.traceparent}});
}

absl::string_view OnlyValue(const ClientMetadata& metadata, absl::string_view key) {
  const auto [begin, end] = metadata.equal_range(grpc::string_ref(key.data(), key.size()));
  if (begin == end || std::next(begin) != end) return {};
  return {begin->second.data(), begin->second.size()};
}

absl::string_view TraceparentIn(const ClientMetadata& metadata) {
  const absl::string_view value = OnlyValue(metadata, "traceparent");
  return IsTraceparent(value) ? value : absl::string_view();
}

}  // namespace rawgate::rpc
