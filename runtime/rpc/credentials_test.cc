#include "runtime/rpc/credentials.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "grpc/grpc_security.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/server.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::rpc {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kOther[] = "/rawgate.Nothing/Nothing";

class CredentialsTest : public ::testing::Test {
 protected:
  ~CredentialsTest() override {
    if (server_ != nullptr) server_->Shutdown(absl::Now() + absl::Seconds(10));
  }

  net::TlsFiles Files(const std::string& name, const TestIdentity& identity) {
    return {.certificate = folder_.Write(name + ".pem", identity.certificate),
            .key = folder_.Write(name + ".key", identity.key),
            .client_ca = folder_.Write("ca.pem", authority_.certificate())};
  }

  void Serve(const net::TlsFiles& files, const std::vector<std::string>& clients = {}) {
    auto credentials = TlsServerCredentials(files, clients);
    ASSERT_TRUE(credentials.ok()) << credentials.status();
    auto server = Server::Start(*net::Endpoint::Parse("tcp://127.0.0.1:0"), {&servicer_},
                                kBuffersMax, *credentials);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    server_->SetServing(true);
  }

  // Calls the server, for its health unless told otherwise, over a connection of its own.
  grpc::Status Ask(const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                   grpc::ChannelArguments arguments = {}, const std::string& method = kCheck) {
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto channel = grpc::CreateCustomChannel(
        GrpcAddress(*net::Endpoint::Parse(server_->uri())), credentials, arguments);
    grpc::GenericStub stub(channel);
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    grpc::CompletionQueue queue;
    const grpc::Slice empty;
    auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&empty, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer response;
    grpc::Status status;
    call->Finish(&response, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

  grpc::Status AskAs(const net::TlsFiles& own, const std::string& method = kCheck) {
    const auto credentials = TlsChannelCredentials(folder_.path("ca.pem"), own);
    EXPECT_TRUE(credentials.ok()) << credentials.status();
    return Ask(*credentials, {}, method);
  }

  // With the roots of an authority that signed the server's certificate only if it is this one.
  grpc::Status AskTrusting(const TestAuthority& authority) {
    return Ask(grpc::SslCredentials(
        {.pem_root_certs = authority.certificate(), .pem_private_key = "", .pem_cert_chain = ""}));
  }

  TestAuthority authority_;
  TestFolder folder_;
  // gRPC has no server without one.
  echo::v1::EchoService::Service servicer_;
  std::unique_ptr<Server> server_;
};

// A process asks itself, by a certificate that is not listed.
TEST_F(CredentialsTest, EveryClientOfTheAuthorityMayAskForHealth) {
  Serve(Files("server", authority_.IssueForLoopback()), {"urn:rawgate:gateway"});
  const grpc::Status asked = AskAs(Files("other", authority_.Issue("o", {"URI:urn:other"})));
  EXPECT_TRUE(asked.ok()) << asked.error_message();
  EXPECT_EQ(AskAs({}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CredentialsTest, OnlyListedClientsMayCallAnythingElse) {
  Serve(Files("server", authority_.IssueForLoopback()), {"urn:rawgate:gateway"});
  const auto gateway = Files("gateway", authority_.Issue("g", {"URI:urn:rawgate:gateway"}));
  const grpc::Status served = AskAs(gateway);
  EXPECT_TRUE(served.ok()) << served.error_message();
  EXPECT_EQ(AskAs(gateway, kOther).error_code(), grpc::StatusCode::UNIMPLEMENTED);

  const auto other = Files("other", authority_.Issue("urn:rawgate:gateway", {"URI:urn:other"}));
  for (const char* const method : {kOther, kWatch}) {
    const grpc::Status refused = AskAs(other, method);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::PERMISSION_DENIED) << method;
    EXPECT_NE(refused.error_message().find("CLIENT_NOT_LISTED"), std::string::npos);
  }

  EXPECT_EQ(AskAs({}).error_code(), grpc::StatusCode::UNAVAILABLE);
  TestAuthority stranger("somebody else");
  const auto forged = Files("forged", stranger.Issue("g", {"URI:urn:rawgate:gateway"}));
  EXPECT_EQ(AskAs(forged).error_code(), grpc::StatusCode::UNAVAILABLE);
}

// gRPC gives tickets, whatever it asks of clients.
TEST_F(CredentialsTest, ATicketDoesNotOutliveTheCertificate) {
  Serve(Files("server", authority_.IssueForLoopback()), {"urn:rawgate:gateway"});
  const absl::Time end = absl::Now() + absl::Seconds(4);
  const TestIdentity brief = authority_.Issue("g", {"URI:urn:rawgate:gateway"}, absl::Seconds(4));
  const auto credentials = grpc::SslCredentials({.pem_root_certs = authority_.certificate(),
                                                 .pem_private_key = brief.key,
                                                 .pem_cert_chain = brief.certificate});
  grpc_ssl_session_cache* const sessions = grpc_ssl_session_cache_create_lru(10);
  const grpc_arg cache = grpc_ssl_session_cache_create_channel_arg(sessions);
  grpc::ChannelArguments arguments;
  arguments.SetPointerWithVtable(cache.key, cache.value.pointer.p, cache.value.pointer.vtable);
  ASSERT_TRUE(Ask(credentials, arguments).ok());
  ASSERT_TRUE(Ask(credentials, arguments).ok());
  // Its last second is its own.
  ASSERT_TRUE(Eventually([&] { return absl::Now() > end + absl::Seconds(1); }));
  EXPECT_EQ(Ask(credentials).error_code(), grpc::StatusCode::UNAVAILABLE);
  const grpc::Status resumed = Ask(credentials, arguments);
  EXPECT_EQ(resumed.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_NE(resumed.error_message().find("CLIENT_NOT_LISTED"), std::string::npos);
  grpc_ssl_session_cache_destroy(sessions);
}

TEST_F(CredentialsTest, AServerForAnotherNameIsNotSpokenTo) {
  Serve(Files("server", authority_.Issue("s", {"DNS:elsewhere"})));
  EXPECT_EQ(AskAs({}).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(CredentialsTest, FilesReplacedInTheMiddleBreakNothing) {
  const net::TlsFiles files = Files("server", authority_.IssueForLoopback());
  Serve(files);
  ASSERT_TRUE(AskTrusting(authority_).ok());

  TestAuthority next("next");
  const TestIdentity identity = next.IssueForLoopback();
  folder_.Write("server.key", identity.key);
  // As long as the key is not the certificate's: gRPC looks every second, and so do we.
  const absl::Time end = absl::Now() + absl::Seconds(4);
  while (absl::Now() < end) {
    const grpc::Status status = AskTrusting(authority_);
    ASSERT_TRUE(status.ok()) << status.error_message();
  }
  folder_.WriteInPlace("server.pem", identity.certificate);
  EXPECT_TRUE(Eventually([&] { return AskTrusting(next).ok(); }));
}

TEST_F(CredentialsTest, ClientsOfAnAuthorityThatIsNoneAnyMoreAreRefused) {
  net::TlsFiles files = Files("server", authority_.IssueForLoopback());
  files.client_ca = folder_.Write("clients.pem", authority_.certificate());
  files.client_certificates = net::ClientCertificates::kRequire;
  Serve(files);
  TestAuthority next("next");
  const auto old_client = Files("old", authority_.Issue("old", {}));
  const auto new_client = Files("new", next.Issue("new", {}));
  EXPECT_TRUE(AskAs(old_client).ok());
  EXPECT_FALSE(AskAs(new_client).ok());
  folder_.Write("clients.pem", next.certificate());
  EXPECT_TRUE(Eventually([&] { return AskAs(new_client).ok(); }));
  EXPECT_FALSE(AskAs(old_client).ok());
}

TEST_F(CredentialsTest, AFileThatIsNoCertificateIsAnError) {
  const auto credentials = TlsServerCredentials(Files("server", {"", ""}));
  EXPECT_EQ(ReasonOf(credentials.status()), "BAD_CERTIFICATE");
}

}  // namespace
}  // namespace rawgate::rpc
