#include "cli/security.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/certificates.h"
#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// Answers those who send the token, and refuses the others as the gateway does.
class GuardedControl final : public control::v1::ControlService::Service {
 public:
  grpc::Status ListServices(grpc::ServerContext* context, const control::v1::ListServicesRequest*,
                            control::v1::ListServicesResponse*) override {
    const auto [begin, end] = context->client_metadata().equal_range("authorization");
    if (begin == end) return Refuse("CREDENTIALS_MISSING");
    if (std::next(begin) != end || begin->second != "Bearer one")
      return Refuse("CREDENTIALS_UNKNOWN");
    return grpc::Status::OK;
  }
  grpc::Status WatchEvents(grpc::ServerContext* context, const control::v1::WatchEventsRequest*,
                           grpc::ServerWriter<control::v1::WatchEventsResponse>*) override {
    streams_with_token += static_cast<int>(context->client_metadata().count("authorization"));
    return Refuse("ROLE_TOO_LOW");
  }

  int streams_with_token = 0;

 private:
  static grpc::Status Refuse(absl::string_view reason) {
    return rpc::ToGrpc(Error(absl::StatusCode::kUnauthenticated, reason, "refused"));
  }
};

// A variable of the environment while it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): gRPC's threads do not read it
    ::setenv(name, value.c_str(), 1);
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* const name_;
};

class File {
 public:
  explicit File(const std::string& text, absl::string_view suffix = "")
      : path_(absl::StrCat(testing::TempDir(), "/security-", ::getpid(), suffix)) {
    std::ofstream(path_) << text;
  }
  ~File() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

class TokenTest : public testing::Test {
 protected:
  GuardedControl control_;
  const FakeGateway gateway_{{&control_}};
};

TEST_F(TokenTest, IsSentFromAFile) {
  const File file("one\n");
  EXPECT_EQ(gateway_.Run({"--token-file", file.path(), "ps"}).code, 0);
  EXPECT_EQ(gateway_.Run({"ps", "--token-file", file.path()}).code, 0);
  gateway_.Run({"watch", "--token-file", file.path()});
  EXPECT_EQ(control_.streams_with_token, 1);
}

TEST_F(TokenTest, IsSentFromTheEnvironment) {
  const File file("one");
  {
    const Variable variable("RAWGATE_TOKEN", "one");
    EXPECT_EQ(gateway_.Run({"ps"}).code, 0);
  }
  const Variable variable("RAWGATE_TOKEN_FILE", file.path());
  EXPECT_EQ(gateway_.Run({"ps"}).code, 0);
}

TEST_F(TokenTest, AFileThatIsNamedCountsBeforeTheEnvironment) {
  const Variable token("RAWGATE_TOKEN", "two");
  EXPECT_THAT(gateway_.Run({"ps"}).error, HasSubstr("rawgate new-token"));
  const File file("one");
  EXPECT_EQ(gateway_.Run({"ps", "--token-file", file.path()}).code, 0);
}

TEST_F(TokenTest, WithoutOneThereIsARemedy) {
  const CliResult result = gateway_.Run({"ps"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate ps: refused. --token-file=FILE or $RAWGATE_TOKEN says who you are.\n");
}

TEST_F(TokenTest, AFileThatIsNoTokenIsNamedAndNotShown) {
  for (const std::string& text : {std::string(), std::string("\n"), std::string("two words"),
                                  std::string("t\x01k"), std::string(4097, 'a')}) {
    const File file(text);
    const CliResult result = gateway_.Run({"ps", "--token-file", file.path()});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.error, HasSubstr("\" is no token"));
    EXPECT_THAT(result.error, Not(HasSubstr("two words")));
  }
  EXPECT_THAT(gateway_.Run({"ps", "--token-file", "/nowhere/token"}).error,
              HasSubstr("/nowhere/token"));
}

TEST(SecurityTest, WithoutTlsATokenStaysOnThisMachine) {
  const Security token = {.token = "one"};
  for (const char* target :
       {"127.0.0.1:50051", "127.3.2.1:1", "localhost:50051", "[::1]:50051", "unix:/run/g.sock",
        "unix:///run/g.sock", "dns:///localhost:1", "ipv4:127.0.0.1:1,127.0.0.2:1", "ipv6:[::1]:1"})
    EXPECT_TRUE(CheckTokenStaysPrivate(token, target).ok()) << target;
  for (const char* target :
       {"lab:50051", "192.0.2.1:50051", "128.0.0.1:1", "[2001:db8::1]:50051", "0.0.0.0:50051",
        "dns:///lab:1", "dns://8.8.8.8/localhost:1", "ipv4:127.0.0.1:1,192.0.2.1:1",
        "localhost.example:1", "127.0.0.1.example:1", "xds:///localhost:1"}) {
    EXPECT_EQ(ReasonOf(CheckTokenStaysPrivate(token, target)), "TOKEN_IN_THE_CLEAR") << target;
    EXPECT_TRUE(CheckTokenStaysPrivate({}, target).ok());
    EXPECT_TRUE(CheckTokenStaysPrivate({.token = "one", .ca = "PEM"}, target).ok());
  }
}

TEST(SecurityTest, TheCommandSaysHowToEncrypt) {
  const Variable token("RAWGATE_TOKEN", "one");
  const CliResult result = RunCli({"--gateway", "192.0.2.1:50051", "ps"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("so it is not sent. --tls-ca=FILE encrypts"));
}

TEST(SecurityTest, AKeyThatIsNotTheCertificatesIsNamed) {
  const auto key = MakeKey();
  const auto other = MakeKey();
  ASSERT_TRUE(key.ok() && other.ok());
  const auto certificate = MakeAuthority(**key);
  ASSERT_TRUE(certificate.ok());
  const File own(*ToPem(**certificate), ".pem");
  const File fits(*ToPem(**key), "-key.pem");
  const File another(*ToPem(**other), "-other.pem");
  const auto load = [&](const File& with) {
    return LoadSecurity({.token_file = "",
                         .tls_ca = own.path(),
                         .tls_certificate = own.path(),
                         .tls_key = with.path()});
  };
  EXPECT_TRUE(load(fits).ok());
  EXPECT_EQ(load(another).status().message(),
            "the key of --tls-key is not the one of the certificate");
  EXPECT_EQ(ReasonOf(load(own).status()), "BAD_PEM");
}

TEST(SecurityTest, ACertificateThatIsNotGoodNowIsNamed) {
  const auto key = MakeKey();
  ASSERT_TRUE(key.ok());
  const auto certificate = MakeAuthority(**key);
  ASSERT_TRUE(certificate.ok());
  const File fits(*ToPem(**key), "-key.pem");
  const auto run = [&](long begin, long end) {
    X509_gmtime_adj(X509_getm_notBefore(certificate->get()), begin);
    X509_gmtime_adj(X509_getm_notAfter(certificate->get()), end);
    X509_sign(certificate->get(), key->get(), EVP_sha256());
    const File own(*ToPem(**certificate), ".pem");
    return RunCli({"ps", "--tls-ca", own.path(), "--tls-certificate", own.path(), "--tls-key",
                   fits.path()})
        .error;
  };
  EXPECT_THAT(run(-200, -100), HasSubstr("expired on 20"));
  EXPECT_THAT(run(-200, -100), HasSubstr("rawgate init-tls --renew"));
  EXPECT_THAT(run(100, 200), HasSubstr("is good from 20"));
}

TEST(SecurityTest, AnAuthorityThatIsAKeyIsNamed) {
  const auto key = MakeKey();
  ASSERT_TRUE(key.ok());
  const File file(*ToPem(**key), "-key.pem");
  EXPECT_THAT(RunCli({"ps", "--tls-ca", file.path()}).error,
              HasSubstr("-key.pem\", which --tls-ca names, has no certificate"));
}

TEST(SecurityTest, WhatIsNoPemIsNamed) {
  const File file("nonsense");
  EXPECT_THAT(RunCli({"ps", "--tls-ca", file.path()}).error, HasSubstr("is no PEM file"));
  EXPECT_THAT(RunCli({"ps", "--tls-ca", "/nowhere/ca.pem"}).error, HasSubstr("/nowhere/ca.pem"));
}

}  // namespace
}  // namespace rawgate::cli
