#include "gateway/route.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "google/bytestream/bytestream.pb.h"
#include "rawgate/chat/v1/chat_service.pb.h"
#include "rawgate/echo/v1/echo_service.pb.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "rawgate/file/v1/file_service.pb.h"
#include "rawgate/time/v1/time_service.pb.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"

namespace rawgate::gateway {

using google::protobuf::MethodDescriptor;
using google::protobuf::MethodOptions;
using google::protobuf::ServiceDescriptor;

const std::vector<const ServiceDescriptor*>& ForwardedServices() {
  // Naming a message of each file is what links the file, and with it its descriptors, into the
  // program.
  static const auto* const services = new std::vector<const ServiceDescriptor*>{
      echo::v1::EchoRequest::descriptor()->file()->service(0),
      exec::v1::RunRequest::descriptor()->file()->service(0),
      time::v1::GetTimeRequest::descriptor()->file()->service(0),
      file::v1::StatFileRequest::descriptor()->file()->service(0),
      chat::v1::SendMessageRequest::descriptor()->file()->service(0),
      google::bytestream::ReadRequest::descriptor()->file()->service(0),
  };
  return *services;
}

std::string BackendOf(const ServiceDescriptor& service) {
  // Google's package says nothing of ours.
  if (service.file() == google::bytestream::ReadRequest::descriptor()->file()) return "file";
  const std::vector<std::string> package = absl::StrSplit(service.file()->package(), '.');
  return package.at(1);
}

bool IsUnary(const MethodDescriptor& method) {
  return !method.client_streaming() && !method.server_streaming();
}

bool IsIdempotent(const MethodDescriptor& method) {
  return method.options().idempotency_level() != MethodOptions::IDEMPOTENCY_UNKNOWN;
}

absl::Status UnknownMethodError(absl::string_view path) {
  return Error(absl::StatusCode::kUnimplemented, "UNKNOWN_METHOD",
               absl::StrCat("this gateway has no method ", observe::Quoted(path)));
}

RouteTable::RouteTable(const std::vector<std::string>& backends) {
  for (const ServiceDescriptor* service : ForwardedServices()) {
    const auto backend = std::find(backends.begin(), backends.end(), BackendOf(*service));
    if (backend == backends.end()) continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      routes_.emplace(
          absl::StrCat("/", service->full_name(), "/", method.name()),
          Route{.method = &method,
                .backend = static_cast<size_t>(backend - backends.begin()),
                .unary = IsUnary(method),
                .watch = method.server_streaming() && absl::StartsWith(method.name(), "Watch")});
    }
  }
}

absl::StatusOr<const Route*> RouteTable::Find(absl::string_view path) const {
  const auto route = routes_.find(path);
  if (route != routes_.end()) return &route->second;
  return UnknownMethodError(path);
}

}  // namespace rawgate::gateway
