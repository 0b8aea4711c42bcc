#include "gateway/access_gate.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/access_testing.h"
#include "gateway/call_origin.h"
#include "gateway/forwarder_fixture.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"

namespace rawgate::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kEcho[] = "/rawgate.echo.v1.EchoService/Echo";

// Answers with what the gate makes of the call: the caller's name and where he is, or the error.
// The payload is the path that it is asked about.
class Gatekeeper final : public echo::v1::EchoService::Service {
 public:
  explicit Gatekeeper(const AccessGate& gate) : gate_(gate) {}
  grpc::Status Echo(grpc::ServerContext* context, const echo::v1::EchoRequest* request,
                    echo::v1::EchoResponse* response) override {
    const absl::StatusOr<Caller> caller = gate_.Admit(*context, request->payload());
    if (!caller.ok()) return rpc::ToGrpc(caller.status());
    response->set_payload(
        absl::StrCat(caller->name, " ", rpc::RoleName(caller->role), " ", PeerOf(*context)));
    return grpc::Status::OK;
  }

 private:
  const AccessGate& gate_;
};

class AccessGateTest : public ::testing::Test {
 protected:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  AccessGateTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&gatekeeper_);
    server_ = builder.BuildAndStart();
    over_tcp_ = TestChannel(absl::StrCat("127.0.0.1:", port));
    in_process_ = server_->InProcessChannel({});
  }
  ~AccessGateTest() override { server_->Shutdown(); }

  // What the gate says, or the reason why not.
  static std::string Ask(const std::shared_ptr<grpc::Channel>& channel, const Metadata& metadata,
                         const std::string& path = kEcho, grpc::Status* status = nullptr) {
    grpc::ClientContext context;
    for (const auto& [key, value] : metadata) context.AddMetadata(key, value);
    echo::v1::EchoRequest request;
    request.set_payload(path);
    echo::v1::EchoResponse response;
    const grpc::Status ended =
        echo::v1::EchoService::NewStub(channel)->Echo(&context, request, &response);
    if (status != nullptr) *status = ended;
    return ended.ok() ? response.payload() : Reason(ended);
  }
  std::string Ask(const Metadata& metadata, const std::string& path = kEcho,
                  grpc::Status* status = nullptr) {
    return Ask(over_tcp_, metadata, path, status);
  }

  const TestAccessFile file_{
      absl::StrCat(UserLine("eve", "ROLE_VIEWER", "look"), UserLine("ops", "ROLE_OPERATOR", "one"),
                   "user { name: \"deploy\" role: ROLE_ADMIN certificate_uri: \"urn:deploy\" "
                   "certificate_common_name: \"deploy.example\" } "
                   "user { name: \"juerg\" role: ROLE_VIEWER "
                   "certificate_common_name: \"J\303\274rg\" }")};
  const std::unique_ptr<AccessStore> store_ =
      *AccessStore::Open(file_.path(), absl::InfiniteDuration());
  const AccessGate gate_{store_.get()};
  Gatekeeper gatekeeper_{gate_};
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> over_tcp_;
  std::shared_ptr<grpc::Channel> in_process_;
};

TEST_F(AccessGateTest, ATokenNamesItsUser) {
  for (const char* authorization : {"Bearer one", "bearer one", "BEARER one", "Bearer   one"})
    EXPECT_THAT(Ask({{"authorization", authorization}}),
                StartsWith("ops operator tcp://127.0.0.1"));
}

TEST_F(AccessGateTest, WithoutCredentialsTheyAreMissing) {
  grpc::Status status;
  EXPECT_EQ(Ask({}, kEcho, &status), "CREDENTIALS_MISSING");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AccessGateTest, WhateverElseIsSentIsUnknown) {
  const std::vector<Metadata> broken = {
      {{"authorization", ""}},
      {{"authorization", "one"}},
      {{"authorization", "Bearer"}},
      {{"authorization", "Bearer "}},
      {{"authorization", "Bearerone"}},
      {{"authorization", "Bearer two"}},
      {{"authorization", "Bearer one two"}},
      {{"authorization", "Bearer one, Bearer one"}},
      {{"authorization", "Basic b25lOm9uZQ=="}},
      {{"authorization", "Digest username=\"ops\""}},
      {{"authorization", "Bearer one"}, {"authorization", "Bearer one"}},
      {{"authorization", absl::StrCat("Bearer ", std::string(5000, 'a'))}}};
  for (const Metadata& metadata : broken) {
    grpc::Status status;
    EXPECT_EQ(Ask(metadata, kEcho, &status), "CREDENTIALS_UNKNOWN") << metadata[0].second;
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(status.error_message(), Not(HasSubstr("one")));
  }
}

TEST_F(AccessGateTest, ARoleThatIsTooLowIsToldTheOneThatIsNeeded) {
  grpc::Status status;
  EXPECT_EQ(Ask({{"authorization", "Bearer look"}}, kEcho, &status), "ROLE_TOO_LOW");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(status.error_message(),
            "rawgate.echo.v1.EchoService/Echo needs the role operator, and eve is viewer");
  EXPECT_EQ(MetadataOf(rpc::FromGrpc(status)).at("required_role"), "operator");
  EXPECT_THAT(
      Ask({{"authorization", "Bearer look"}}, "/rawgate.control.v1.ControlService/ListServices"),
      StartsWith("eve viewer"));
}

TEST_F(AccessGateTest, WhatIsNoMethodIsToldToThoseWhoAreKnown) {
  for (const char* path :
       {"/no.such.Service/Method", "", "/", "rawgate.echo.v1.EchoService/Echo"}) {
    EXPECT_EQ(Ask({{"authorization", "Bearer one"}}, path), "UNKNOWN_METHOD");
    EXPECT_EQ(Ask({}, path), "CREDENTIALS_MISSING");
  }
}

TEST_F(AccessGateTest, TheHttpServerSaysWhoItsClientIs) {
  EXPECT_EQ(Ask(in_process_, {{"x-rawgate-peer", "tcp://192.0.2.1:5"},
                              {"x-rawgate-http-cert-uri-bin", "urn:other"},
                              {"x-rawgate-http-cert-uri-bin", "urn:deploy"}}),
            "deploy admin tcp://192.0.2.1:5");
  EXPECT_THAT(Ask(in_process_, {{"x-rawgate-http-cert-uri-bin", "urn:other"},
                                {"x-rawgate-http-cert-cn-bin", "deploy.example"}}),
              StartsWith("deploy admin"));
  EXPECT_THAT(Ask(in_process_, {{"x-rawgate-http-cert-cn-bin", "J\303\274rg"}},
                  "/rawgate.control.v1.ControlService/ListServices"),
              StartsWith("juerg viewer"));
  EXPECT_EQ(Ask(in_process_, {{"x-rawgate-http-cert-cn-bin", "other"}}), "CREDENTIALS_UNKNOWN");
  EXPECT_EQ(Ask(in_process_, {}), "CREDENTIALS_MISSING");
}

TEST_F(AccessGateTest, NobodyElseCan) {
  const Metadata forged = {{"x-rawgate-http-cert-uri-bin", "urn:deploy"},
                           {"x-rawgate-http-cert-cn-bin", "deploy.example"}};
  EXPECT_EQ(Ask(forged), "CREDENTIALS_MISSING");
  EXPECT_THAT(Ask({{"authorization", "Bearer one"}, {"x-rawgate-peer", "tcp://192.0.2.1:5"}}),
              StartsWith("ops operator tcp://127.0.0.1"));
}

TEST_F(AccessGateTest, ATokenCountsBeforeACertificate) {
  const std::pair<std::string, std::string> certificate = {"x-rawgate-http-cert-uri-bin",
                                                           "urn:deploy"};
  EXPECT_THAT(Ask(in_process_, {{"authorization", "Bearer one"}, certificate}),
              StartsWith("ops operator"));
  EXPECT_EQ(Ask(in_process_, {{"authorization", "Bearer two"}, certificate}),
            "CREDENTIALS_UNKNOWN");
}

TEST_F(AccessGateTest, AnotherFileCountsFromTheNextCallOn) {
  file_.Put(UserLine("ann", "ROLE_OPERATOR", "two"));
  EXPECT_THAT(Ask({{"authorization", "Bearer one"}}), StartsWith("ops"));
  store_->LookAgain();
  EXPECT_EQ(Ask({{"authorization", "Bearer one"}}), "CREDENTIALS_UNKNOWN");
  EXPECT_THAT(Ask({{"authorization", "Bearer two"}}), StartsWith("ann"));
}

TEST(OpenAccessGateTest, EverybodyIsAdminWithoutAName) {
  const AccessGate gate;
  EXPECT_TRUE(gate.open());
  const grpc::ServerContext context;
  EXPECT_EQ(gate.Admit(context, kEcho)->role, rpc::Role::kAdmin);
  EXPECT_EQ(gate.Admit(context, kEcho)->name, "");
}

}  // namespace
}  // namespace rawgate::gateway
