// What the gateway counts of all calls: those that it forwards and those that it answers itself, by
// method, and those that it refuses, by reason.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "grpcpp/server_builder.h"
#include "runtime/metrics/page.h"
#include "runtime/observe/counters.h"
#include "runtime/rpc/call_interceptor.h"
#include "runtime/rpc/call_table.h"
#include "spdlog/common.h"

namespace rawgate::gateway {

// Thread-safe, and outlives the server.
class CallBooks {
 public:
  // Of each method of a registered servicer, in progress. More than one connection may have, and
  // than ControlService has watches of a kind, which it refuses with a reason.
  static constexpr int64_t kOwnCallsMax = 2048;

  // Each of so many lanes has a table of its own, so that no two threads share what they count.
  // Ended calls are logged at `level`.
  CallBooks(int lanes, spdlog::level::level_enum level);

  // Has the calls of registered servicers counted, bounded and logged, and what these refuse
  // counted but for ControlService, which passes errors of services on and calls CountRefusal()
  // itself. `caller` says who makes one, for the log.
  void Observe(grpc::ServerBuilder& builder,
               std::function<rpc::CallObservation::Caller(const grpc::ServerContextBase&)> caller);

  // Whether calls of the method with that number are served by the gateway itself.
  bool IsOwn(size_t number) const { return own_[number]; }
  rpc::CallTable& lane(int number) { return *tables_[static_cast<size_t>(number)]; }
  spdlog::level::level_enum level() const { return level_; }

  // The gateway itself said no. Whatever else went wrong with a call is not counted here.
  void CountRefusal(const absl::Status& status);

  // grpc_server_*, and rawgate_gateway_refused_calls_total.
  void AddTo(metrics::Page& page) const;

 private:
  // Every reason for which the gateway refuses calls.
  static constexpr std::array<absl::string_view, 6> kReasons = {"DRAINING",
                                                                "TOO_MANY_CALLS",
                                                                "UNKNOWN_METHOD",
                                                                "CREDENTIALS_MISSING",
                                                                "CREDENTIALS_UNKNOWN",
                                                                "ROLE_TOO_LOW"};

  const spdlog::level::level_enum level_;
  const rpc::MethodList methods_;
  // By method.
  std::vector<bool> own_;
  // One for each lane, and the last for registered servicers.
  std::vector<std::unique_ptr<rpc::CallTable>> tables_;
  std::array<observe::Counter, kReasons.size()> refused_;
};

}  // namespace rawgate::gateway
