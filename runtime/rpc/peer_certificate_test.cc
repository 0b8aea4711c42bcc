#include "runtime/rpc/peer_certificate.h"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "runtime/net/tls_handshake_testing.h"
#include "runtime/net/tls_peer.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::rpc {
namespace {

using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestIdentity;

std::vector<std::string> Properties(const grpc::AuthContext& context, const char* name) {
  std::vector<std::string> values;
  for (const grpc::string_ref& value : context.FindPropertyValues(name)) {
    values.emplace_back(value.data(), value.size());
  }
  return values;
}

// Remembers the names of the last client's certificate.
class Namer final : public echo::v1::EchoService::Service {
 public:
  grpc::Status Echo(grpc::ServerContext* context, const echo::v1::EchoRequest*,
                    echo::v1::EchoResponse*) override {
    uris = Properties(*context->auth_context(), GRPC_PEER_URI_PROPERTY_NAME);
    common_names = Properties(*context->auth_context(), GRPC_X509_CN_PROPERTY_NAME);
    return grpc::Status::OK;
  }
  std::vector<std::string> uris;
  std::vector<std::string> common_names;
};

// Who calls over gRPC has the names that he has over HTTP, be they ever so odd.
TEST(PeerCertificateTest, GrpcReadsTheSameNames) {
  TestAuthority authority;
  const TestIdentity own = authority.IssueForLoopback();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = authority.certificate();
  options.pem_key_cert_pairs = {{.private_key = own.key, .cert_chain = own.certificate}};
  Namer namer;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
  builder.RegisterService(&namer);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

  const std::string nul("admin\0.example", 14);
  for (const TestIdentity& odd :
       {authority.Issue("Grüße", {"URI:urn:b", "DNS:a", "URI:urn:a"}), authority.Issue("a", {}),
        authority.Issue(nul, {"URI:" + nul}), authority.Issue("", {"URI:", "URI:urn:a"}),
        authority.Issue("a", {"URI:urn:gr\xFC\xDF"})}) {
    const auto stub = echo::v1::EchoService::NewStub(
        grpc::CreateChannel(absl::StrCat("localhost:", port),
                            grpc::SslCredentials({.pem_root_certs = authority.certificate(),
                                                  .pem_private_key = odd.key,
                                                  .pem_cert_chain = odd.certificate})));
    grpc::ClientContext context;
    echo::v1::EchoResponse response;
    const grpc::Status status = stub->Echo(&context, {}, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
    const std::optional<net::TlsPeer> peer = net::PeerShown(odd, authority.certificate());
    ASSERT_TRUE(peer);
    EXPECT_EQ(peer->uris, namer.uris);
    EXPECT_EQ(std::vector<std::string>{peer->common_name}, namer.common_names);
  }
  server->Shutdown();
}

}  // namespace
}  // namespace rawgate::rpc
