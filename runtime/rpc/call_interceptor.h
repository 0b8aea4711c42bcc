// Counts and logs the calls of the servicers that are registered with a gRPC server, whatever they
// are: none of them has to.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "grpcpp/server_builder.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/status.h"
#include "runtime/rpc/call_table.h"
#include "spdlog/common.h"

namespace rawgate::rpc {

// Initial metadata of answers: CallObservation::instance. Not of a refusal: to clients that have
// seen initial metadata a call counts as answered, and they do not try it again (gRFC A6).
inline constexpr char kInstanceMetadataKey[] = "rawgate-instance";

struct CallObservation {
  // Outlives the server.
  CallTable& table;
  // Methods whose calls somebody else counts and logs; null: none.
  std::function<bool(const MethodList::Row&)> left_out = nullptr;
  // Of each method, in progress; a call is until the server has let go of it, some time after its
  // client was told how it ended. One more is cancelled: whatever its servicer does, nothing of
  // ours can answer for it.
  int64_t calls_max = std::numeric_limits<int64_t>::max();
  // Ended calls are logged at this level.
  spdlog::level::level_enum level = spdlog::level::debug;
  // Who makes a call, for the log. Any thread; before the servicer hears of the call.
  struct Caller {
    std::string peer;
    std::string user;
  };
  std::function<Caller(const grpc::ServerContextBase&)> caller;
  // What clients are told of which process answered; empty: nothing.
  std::string instance = {};
  // Told of calls that end with an error, and of which method; may be null. Any thread.
  std::function<void(const MethodList::Row&, const grpc::Status&)> failed = nullptr;
};

// What the gateway says of the caller, else the socket's peer: for a server that only the gateway
// reaches.
CallObservation::Caller CallerNamedByGateway(const grpc::ServerContextBase& context);

// To be called once for a builder.
void ObserveCalls(grpc::ServerBuilder& builder, CallObservation observation);

}  // namespace rawgate::rpc
