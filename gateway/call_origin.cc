#include "gateway/call_origin.h"

#include <memory>

#include "absl/strings/match.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/security/auth_context.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/peer_certificate.h"

namespace rawgate::gateway {
namespace {

std::vector<absl::string_view> Values(const grpc::ServerContextBase& call, const char* key) {
  std::vector<absl::string_view> values;
  const auto [begin, end] = call.client_metadata().equal_range(key);
  for (auto it = begin; it != end; ++it) values.emplace_back(it->second.data(), it->second.size());
  return values;
}

std::vector<std::string> Properties(const grpc::AuthContext& context, const char* name) {
  std::vector<std::string> values;
  for (const grpc::string_ref& value : context.FindPropertyValues(name))
    values.emplace_back(value.data(), value.size());
  return values;
}

// `peer` is what gRPC says of the call. Over a connection it begins with a scheme; and whatever
// that is, such a call has a security type, be it "insecure", where the in-process transport has
// none.
bool InProcess(const grpc::ServerContextBase& call, absl::string_view peer) {
  if (peer != "unknown" && !absl::StartsWith(peer, "inproc")) return false;
  const std::shared_ptr<const grpc::AuthContext> context = call.auth_context();
  return context == nullptr ||
         context->FindPropertyValues(GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME).empty();
}

}  // namespace

std::string PeerOf(const grpc::ServerContextBase& call) {
  const std::string peer = call.peer();
  if (InProcess(call, peer)) {
    const auto told = Values(call, rpc::kPeerMetadataKey);
    if (told.size() == 1) return std::string(told.front());
  }
  return rpc::PeerUri(peer);
}

CertificateNames CertificateOf(const grpc::ServerContextBase& call) {
  CertificateNames names;
  if (InProcess(call, call.peer())) {
    for (const absl::string_view uri : Values(call, kHttpCertificateUriKey))
      names.uris.emplace_back(uri);
    for (const absl::string_view name : Values(call, kHttpCertificateNameKey))
      names.common_names.emplace_back(name);
    return names;
  }
  const std::shared_ptr<const grpc::AuthContext> context = call.auth_context();
  if (context == nullptr || rpc::PeerCertificateExpired(*context)) return names;
  names.uris = Properties(*context, GRPC_PEER_URI_PROPERTY_NAME);
  names.common_names = Properties(*context, GRPC_X509_CN_PROPERTY_NAME);
  return names;
}

std::vector<absl::string_view> AuthorizationOf(const grpc::ServerContextBase& call) {
  return Values(call, "authorization");
}

}  // namespace rawgate::gateway
