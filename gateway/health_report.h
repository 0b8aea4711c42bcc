// What grpc.health.v1.Health says at the gateway: "" is the gateway itself; "echo" and
// "rawgate.echo.v1.EchoService" a service; "echo/tcp" one of its raw listeners. What has several
// replicas serves when one of them does.
#pragma once

#include <map>
#include <string>

#include "gateway/backend_table.h"
#include "grpcpp/health_check_service_interface.h"

namespace rawgate::gateway {

// Follows the table while it lives. Thread-safe.
class HealthReport {
 public:
  // Both outlive this object.
  HealthReport(BackendTable& table, grpc::HealthCheckServiceInterface& health);
  ~HealthReport();

  // NOT_SERVING for everything, for good: the gateway is going.
  void End() { health_.Shutdown(); }

 private:
  void Update();
  // What one replica has to say for `told_`.
  void Add(const control::v1::Service& replica);

  BackendTable& table_;
  grpc::HealthCheckServiceInterface& health_;
  BackendTable::Subscription subscription_;
  // All that was ever said, by name. Listeners have few names.
  std::map<std::string, bool> told_;
};

}  // namespace rawgate::gateway
