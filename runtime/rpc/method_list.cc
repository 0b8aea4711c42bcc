#include "runtime/rpc/method_list.h"

#include "absl/strings/str_cat.h"

namespace rawgate::rpc {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr char kHealth[] = "grpc.health.v1.Health";

absl::string_view TypeOf(const MethodDescriptor& method) {
  if (method.client_streaming()) return method.server_streaming() ? "bidi_stream" : "client_stream";
  return method.server_streaming() ? "server_stream" : "unary";
}

}  // namespace

MethodList::MethodList(const std::vector<const ServiceDescriptor*>& services) {
  for (const ServiceDescriptor* service : services) {
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      Add(service->full_name(), method.name(), TypeOf(method));
    }
  }
  // gRPC serves it without a descriptor.
  Add(kHealth, "Check", "unary");
  Add(kHealth, "Watch", "server_stream");
  rows_.push_back({"unknown", "unknown", "unknown"});
}

void MethodList::Add(absl::string_view service, absl::string_view method, absl::string_view type) {
  const bool added = numbers_.emplace(absl::StrCat("/", service, "/", method), rows_.size()).second;
  if (added) rows_.push_back({std::string(service), std::string(method), type});
}

size_t MethodList::Find(absl::string_view path) const {
  const auto found = numbers_.find(path);
  return found == numbers_.end() ? unknown() : found->second;
}

std::vector<const ServiceDescriptor*> LinkedServices() {
  std::vector<const ServiceDescriptor*> services;
  for (const char* const file :
       {"rawgate/control/v1/control_service.proto", "rawgate/echo/v1/echo_service.proto",
        "rawgate/exec/v1/exec_service.proto", "rawgate/time/v1/time_service.proto",
        "rawgate/file/v1/file_service.proto", "rawgate/chat/v1/chat_service.proto",
        "google/bytestream/bytestream.proto"}) {
    const FileDescriptor* const linked = DescriptorPool::generated_pool()->FindFileByName(file);
    for (int i = 0; linked != nullptr && i < linked->service_count(); ++i) {
      services.push_back(linked->service(i));
    }
  }
  return services;
}

}  // namespace rawgate::rpc
