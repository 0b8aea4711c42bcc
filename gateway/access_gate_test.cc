#include "gateway/access_gate.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/access_testing.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kEcho[] = "/rawgate.echo.v1.EchoService/Echo";
constexpr char kListServices[] = "/rawgate.control.v1.ControlService/ListServices";

class AccessGateTest : public ::testing::Test {
 protected:
  using Authorizations = std::vector<absl::string_view>;

  // Whom the gate lets in, or the reason why not.
  std::string Ask(const AccessGate::Credentials& credentials, absl::string_view path = kEcho,
                  absl::Status* status = nullptr) {
    const absl::StatusOr<Caller> caller = gate_.Admit(credentials, path);
    if (status != nullptr) *status = caller.status();
    if (!caller.ok()) return ReasonOf(caller.status());
    return absl::StrCat(caller->name, " ", rpc::RoleName(caller->role));
  }
  static AccessGate::Credentials Token(absl::string_view authorization) {
    return {.authorizations = {authorization}, .certificate = {}};
  }
  static AccessGate::Credentials Certificate(std::vector<std::string> uris,
                                             std::vector<std::string> common_names) {
    return {.authorizations = {},
            .certificate = {.uris = std::move(uris), .common_names = std::move(common_names)}};
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
};

TEST_F(AccessGateTest, ATokenNamesItsUser) {
  for (const char* authorization : {"Bearer one", "bearer one", "BEARER one", "Bearer   one"})
    EXPECT_EQ(Ask(Token(authorization)), "ops operator");
}

TEST_F(AccessGateTest, WithoutCredentialsTheyAreMissing) {
  absl::Status status;
  EXPECT_EQ(Ask({}, kEcho, &status), "CREDENTIALS_MISSING");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(AccessGateTest, WhateverElseIsSentIsUnknown) {
  const std::string long_one = absl::StrCat("Bearer ", std::string(5000, 'a'));
  const std::vector<Authorizations> broken = {{""},
                                              {"one"},
                                              {"Bearer"},
                                              {"Bearer "},
                                              {"Bearerone"},
                                              {"Bearer two"},
                                              {"Bearer one two"},
                                              {"Bearer one, Bearer one"},
                                              {"Basic b25lOm9uZQ=="},
                                              {"Digest username=\"ops\""},
                                              {"Bearer one", "Bearer one"},
                                              {long_one}};
  for (const Authorizations& authorizations : broken) {
    absl::Status status;
    EXPECT_EQ(Ask({.authorizations = authorizations, .certificate = {}}, kEcho, &status),
              "CREDENTIALS_UNKNOWN")
        << authorizations[0];
    EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated);
    EXPECT_THAT(status.message(), Not(HasSubstr("one")));
  }
}

TEST_F(AccessGateTest, ARoleThatIsTooLowIsToldTheOneThatIsNeeded) {
  absl::Status status;
  EXPECT_EQ(Ask(Token("Bearer look"), kEcho, &status), "ROLE_TOO_LOW");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(),
            "rawgate.echo.v1.EchoService/Echo needs the role operator, and eve is viewer");
  EXPECT_EQ(MetadataOf(status).at("required_role"), "operator");
  EXPECT_EQ(Ask(Token("Bearer look"), kListServices), "eve viewer");
}

TEST_F(AccessGateTest, WhatIsNoMethodIsToldToThoseWhoAreKnown) {
  for (const char* path :
       {"/no.such.Service/Method", "", "/", "rawgate.echo.v1.EchoService/Echo"}) {
    EXPECT_EQ(Ask(Token("Bearer one"), path), "UNKNOWN_METHOD");
    EXPECT_EQ(Ask({}, path), "CREDENTIALS_MISSING");
  }
}

TEST_F(AccessGateTest, ACertificateNamesItsUserByUriThenByCommonName) {
  EXPECT_EQ(Ask(Certificate({"urn:other", "urn:deploy"}, {})), "deploy admin");
  EXPECT_EQ(Ask(Certificate({"urn:other"}, {"deploy.example"})), "deploy admin");
  EXPECT_EQ(Ask(Certificate({"urn:deploy"}, {"J\303\274rg"})), "deploy admin");
  EXPECT_EQ(Ask(Certificate({}, {"J\303\274rg"}), kListServices), "juerg viewer");
}

TEST_F(AccessGateTest, ACertificateOfNobodyIsUnknown) {
  EXPECT_EQ(Ask(Certificate({}, {"other"})), "CREDENTIALS_UNKNOWN");
  EXPECT_EQ(Ask(Certificate({"deploy.example"}, {"urn:deploy"})), "CREDENTIALS_UNKNOWN");
  // There is one, and it has no name.
  EXPECT_EQ(Ask(Certificate({}, {""})), "CREDENTIALS_UNKNOWN");
}

TEST_F(AccessGateTest, ATokenCountsBeforeACertificate) {
  AccessGate::Credentials both = Certificate({"urn:deploy"}, {});
  both.authorizations = {"Bearer one"};
  EXPECT_EQ(Ask(both), "ops operator");
  both.authorizations = {"Bearer two"};
  EXPECT_EQ(Ask(both), "CREDENTIALS_UNKNOWN");
}

TEST_F(AccessGateTest, AnotherFileCountsFromTheNextCallOn) {
  file_.Put(UserLine("ann", "ROLE_OPERATOR", "two"));
  EXPECT_EQ(Ask(Token("Bearer one")), "ops operator");
  store_->LookAgain();
  EXPECT_EQ(Ask(Token("Bearer one")), "CREDENTIALS_UNKNOWN");
  EXPECT_EQ(Ask(Token("Bearer two")), "ann operator");
}

TEST_F(AccessGateTest, WhoeverWasLetInIsLookedAtAgain) {
  const AccessGate::Credentials credentials = Token("Bearer one");
  const Caller ops = *gate_.Admit(credentials, kEcho);
  EXPECT_TRUE(gate_.Recheck(credentials, kEcho, ops).ok());
  const uint64_t edition = gate_.edition();
  // The token is another's by now.
  file_.Put(UserLine("ann", "ROLE_OPERATOR", "one"));
  store_->LookAgain();
  EXPECT_GT(gate_.edition(), edition);
  EXPECT_EQ(ReasonOf(gate_.Recheck(credentials, kEcho, ops)), "CREDENTIALS_UNKNOWN");
  file_.Put(UserLine("ops", "ROLE_VIEWER", "one"));
  store_->LookAgain();
  EXPECT_EQ(ReasonOf(gate_.Recheck(credentials, kEcho, ops)), "ROLE_TOO_LOW");
}

TEST(OpenAccessGateTest, EverybodyIsAdminWithoutAName) {
  const AccessGate gate;
  EXPECT_TRUE(gate.open());
  EXPECT_EQ(gate.edition(), 0U);
  EXPECT_EQ(gate.Admit({}, kEcho)->role, rpc::Role::kAdmin);
  EXPECT_EQ(gate.Admit({}, kEcho)->name, "");
}

}  // namespace
}  // namespace rawgate::gateway
