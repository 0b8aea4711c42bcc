#include "gateway/call_account.h"

#include <string>
#include <utility>

#include "gateway/call_origin.h"
#include "runtime/rpc/call_log.h"

namespace rawgate::gateway {

void CallAccount::Begin(observe::CallCounters& counters, spdlog::level::level_enum level) {
  counters_ = &counters;
  level_ = level;
  began_ = absl::Now();
  counters.started.Add();
}

void CallAccount::End(const grpc::GenericServerContext& call, int code, absl::string_view user) {
  if (counters_ == nullptr) return;
  const absl::Duration duration = absl::Now() - began_;
  std::exchange(counters_, nullptr)->CountHandled(code, duration);
  if (!rpc::CallsAreLogged(level_)) return;
  const std::string peer = PeerOf(call);
  rpc::LogCall(level_, {.method = call.method(),
                        .code = code,
                        .duration = duration,
                        .peer = peer,
                        .user = user,
                        .traceparent = rpc::TraceparentIn(call.client_metadata())});
}

}  // namespace rawgate::gateway
