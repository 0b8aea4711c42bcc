#include "gateway/served_services.h"

#include "gateway/route.h"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1/reflection.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::gateway {

namespace v1 = grpc::reflection::v1;
namespace v1alpha = grpc::reflection::v1alpha;
using google::protobuf::ServiceDescriptor;

const std::vector<const ServiceDescriptor*>& ServedServices() {
  static const auto* const served = [] {
    auto* const services = new std::vector<const ServiceDescriptor*>(ForwardedServices());
    // Naming a message of each file is what links the file, and with it its descriptors, into the
    // program.
    services->push_back(control::v1::ListServicesRequest::descriptor()->file()->service(0));
    services->push_back(grpc::health::v1::HealthCheckRequest::descriptor()->file()->service(0));
    services->push_back(v1::ServerReflectionRequest::descriptor()->file()->service(0));
    services->push_back(v1alpha::ServerReflectionRequest::descriptor()->file()->service(0));
    return services;
  }();
  return *served;
}

}  // namespace rawgate::gateway
