// What a service process counts, as its page /metrics tells it.
#pragma once

#include <string>

#include "runtime/metrics/registry.h"
#include "runtime/net/service.h"
#include "runtime/rpc/call_interceptor.h"
#include "runtime/rpc/call_table.h"
#include "runtime/rpc/method_list.h"

namespace rawgate::host {

// Thread-safe. Outlives the RPC server that is started with calls(), and whoever asks for Page().
class ServiceBooks {
 public:
  // `service` outlives this object, and its listeners are known when Page() is called first.
  explicit ServiceBooks(net::Service& service);

  rpc::CallObservation calls();
  // For further sources.
  metrics::Registry& registry() { return registry_; }
  std::string Page() const { return registry_.Render(); }

 private:
  const std::string instance_;
  const rpc::MethodList methods_;
  rpc::CallTable calls_;
  metrics::Registry registry_;
};

}  // namespace rawgate::host
