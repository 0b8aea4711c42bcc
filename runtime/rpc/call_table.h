// Counters of every method that a gRPC server serves, made when it starts: a call finds its own by
// number, without a lock.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "runtime/metrics/page.h"
#include "runtime/observe/call_counters.h"
#include "runtime/rpc/method_list.h"

namespace rawgate::rpc {

// Any thread.
class CallTable {
 public:
  // `methods` outlives this object.
  explicit CallTable(const MethodList& methods)
      : methods_(methods),
        counters_(std::make_unique<observe::CallCounters[]>(methods.rows().size())) {}

  const MethodList& methods() const { return methods_; }
  // Of the method with that number of methods().
  observe::CallCounters& operator[](size_t number) { return counters_[number]; }
  const observe::CallCounters& operator[](size_t number) const { return counters_[number]; }

 private:
  const MethodList& methods_;
  const std::unique_ptr<observe::CallCounters[]> counters_;
};

// Adds grpc_server_started_total, grpc_server_handled_total, grpc_server_msg_received_total,
// grpc_server_msg_sent_total and grpc_server_handling_seconds, as go-grpc-prometheus names them.
// `tables`, at least one, are of the same methods, and are added up. Codes with which no call of a
// method ended yet are left out, but for OK.
void AddCalls(metrics::Page& page, const std::vector<const CallTable*>& tables);

}  // namespace rawgate::rpc
