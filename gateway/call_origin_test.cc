#include "gateway/call_origin.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "gateway/test_backend.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "runtime/rpc/credentials.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::gateway {
namespace {

using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;

// Answers with the common names of the client's certificate.
class Namer final : public echo::v1::EchoService::Service {
 public:
  grpc::Status Echo(grpc::ServerContext* context, const echo::v1::EchoRequest*,
                    echo::v1::EchoResponse* response) override {
    const CertificateNames names = CertificateOf(*context);
    for (const std::string& uri : names.uris) response->mutable_payload()->append(uri + " ");
    for (const std::string& name : names.common_names) response->mutable_payload()->append(name);
    return grpc::Status::OK;
  }
};

TEST(CallOriginTest, ACertificateThatExpiresOnAnOpenConnectionNamesNobody) {
  TestAuthority authority;
  const TestFolder folder;
  const TestIdentity own = authority.IssueForLoopback();
  const auto credentials =
      rpc::TlsServerCredentials({.certificate = folder.Write("own.pem", own.certificate),
                                 .key = folder.Write("own.key", own.key),
                                 .client_ca = folder.Write("ca.pem", authority.certificate()),
                                 .client_certificates = net::ClientCertificates::kRequest});
  ASSERT_TRUE(credentials.ok()) << credentials.status();
  Namer namer;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", *credentials, &port);
  builder.RegisterService(&namer);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();

  const absl::Time end = absl::Now() + absl::Seconds(4);
  const TestIdentity brief = authority.Issue("eve", {"URI:urn:eve"}, absl::Seconds(4));
  const auto stub = echo::v1::EchoService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port),
                          grpc::SslCredentials({.pem_root_certs = authority.certificate(),
                                                .pem_private_key = brief.key,
                                                .pem_cert_chain = brief.certificate})));
  const auto names = [&]() -> std::string {
    grpc::ClientContext context;
    echo::v1::EchoResponse response;
    const grpc::Status status = stub->Echo(&context, {}, &response);
    return status.ok() ? response.payload() : status.error_message();
  };
  EXPECT_EQ(names(), "urn:eve eve");
  // Its last second is its own.
  ASSERT_TRUE(Eventually([&] { return absl::Now() > end + absl::Seconds(1); }));
  EXPECT_EQ(names(), "");
  server->Shutdown();
}

}  // namespace
}  // namespace rawgate::gateway
