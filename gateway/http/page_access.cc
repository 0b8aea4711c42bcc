#include "gateway/http/page_access.h"

#include <optional>

#include "absl/strings/match.h"
#include "gateway/http/connect_call.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

AccessGate::Credentials CredentialsOf(const http::Request& request) {
  AccessGate::Credentials credentials;
  for (const auto& [name, value] : request.fields) {
    if (name == "authorization") credentials.authorizations.push_back(value);
  }
  credentials.certificate.uris = request.client.certificate_uris;
  if (!request.client.certificate_name.empty()) {
    credentials.certificate.common_names = {request.client.certificate_name};
  }
  return credentials;
}

absl::Status AdmitCall(const AccessGate& gate, const http::Request& request,
                       absl::string_view path) {
  if (absl::StartsWith(path, "/grpc.health.v1.Health/")) return absl::OkStatus();
  return gate.Admit(CredentialsOf(request), path).status();
}

http::PageAccess PagesFor(const AccessGate& gate) {
  return [&gate](const http::Request& request) -> std::optional<http::Response> {
    const absl::StatusOr<Caller> caller = gate.Identify(CredentialsOf(request));
    if (caller.ok()) return std::nullopt;
    return ErrorResponse(rpc::ToGrpc(caller.status()));
  };
}

}  // namespace rawgate::gateway
