#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/certificates.h"
#include "cli/command_testing.h"
#include "cli/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A folder that is not there yet, in one that is removed in the end.
class InitTlsTest : public testing::Test {
 protected:
  InitTlsTest() {
    std::string parent = absl::StrCat(testing::TempDir(), "/init-tls-XXXXXX");
    EXPECT_NE(::mkdtemp(parent.data()), nullptr);
    parent_ = parent;
    folder_ = absl::StrCat(parent, "/made");
  }
  ~InitTlsTest() override {
    for (const std::string& name : Names()) ::unlink(Path(name).c_str());
    ::rmdir(folder_.c_str());
    ::rmdir(parent_.c_str());
  }

  static std::vector<std::string> Names() {
    return {"ca.pem",     "ca-key.pem",     "server.pem", "server-key.pem",
            "client.pem", "client-key.pem", "token",      "access.textproto"};
  }
  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }
  std::string Text(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(Path(name)).rdbuf();
    return text.str();
  }
  std::map<std::string, std::string> Texts() const {
    std::map<std::string, std::string> texts;
    for (const std::string& name : Names()) texts[name] = Text(name);
    return texts;
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
  Certificate Parsed(const std::string& name) const {
    auto certificate = CertificateFromPem(Text(name));
    EXPECT_TRUE(certificate.ok()) << name;
    return *std::move(certificate);
  }
  // 0 where `name` is good for `purpose`, else OpenSSL's error.
  int Verify(const std::string& name, int purpose) const {
    const Certificate authority = Parsed("ca.pem");
    const Certificate certificate = Parsed(name);
    X509_STORE* const store = X509_STORE_new();
    X509_STORE_add_cert(store, authority.get());
    X509_STORE_CTX* const context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, certificate.get(), nullptr);
    X509_STORE_CTX_set_purpose(context, purpose);
    const int error =
        X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return error;
  }

  std::string parent_;
  std::string folder_;
};

TEST_F(InitTlsTest, KeysAreTheOwnersAlone) {
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  EXPECT_EQ(ModeOf(folder_), 0700U);
  for (const char* name : {"ca.pem", "server.pem", "client.pem"})
    EXPECT_EQ(ModeOf(Path(name)), 0644U) << name;
  for (const char* name :
       {"ca-key.pem", "server-key.pem", "client-key.pem", "token", "access.textproto"})
    EXPECT_EQ(ModeOf(Path(name)), 0600U) << name;
}

TEST_F(InitTlsTest, CertificatesAreForWhatTheyAreFor) {
  ASSERT_EQ(RunCli({"init-tls", folder_, "--host", "lab.example", "--host", "192.0.2.7"}).code, 0);
  EXPECT_EQ(Verify("server.pem", X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(Verify("server.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(Verify("client.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(Verify("client.pem", X509_PURPOSE_SSL_SERVER), X509_V_ERR_INVALID_PURPOSE);
  EXPECT_THAT(HostsOf(*Parsed("server.pem")),
              ElementsAre("localhost", "127.0.0.1", "::1", "lab.example", "192.0.2.7"));
  EXPECT_THAT(HostsOf(*Parsed("client.pem")), ElementsAre());
  EXPECT_EQ(X509_check_ca(Parsed("ca.pem").get()), 1);
  EXPECT_EQ(X509_get_pathlen(Parsed("ca.pem").get()), 0);
  EXPECT_EQ(X509_check_ca(Parsed("server.pem").get()), 0);
}

TEST_F(InitTlsTest, KeysFitTheirCertificates) {
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  for (const std::string name : {"ca", "server", "client"}) {
    const auto key = KeyFromPem(Text(name + "-key.pem"));
    ASSERT_TRUE(key.ok());
    EXPECT_EQ(X509_check_private_key(Parsed(name + ".pem").get(), key->get()), 1) << name;
  }
}

TEST_F(InitTlsTest, TheAccessFileHasTheTokensDigest) {
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  std::string token = Text("token");
  ASSERT_EQ(token.size(), 44U);
  token.pop_back();
  Sha256 digest;
  digest.Add(token);
  EXPECT_THAT(Text("access.textproto"), HasSubstr(digest.Digest()));
  EXPECT_THAT(Text("access.textproto"), Not(HasSubstr(token)));
}

TEST_F(InitTlsTest, NothingIsReplaced) {
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  for (const std::string& kept : Names()) {
    for (const std::string& name : Names()) {
      if (name != kept) ::unlink(Path(name).c_str());
    }
    const std::string before = Text(kept);
    const CliResult again = RunCli({"init-tls", folder_});
    EXPECT_EQ(again.code, 1);
    EXPECT_THAT(again.error, HasSubstr(absl::StrCat(kept, "\" is there already")));
    EXPECT_EQ(Text(kept), before);
    for (const std::string& name : Names())
      EXPECT_EQ(::access(Path(name).c_str(), F_OK) == 0, name == kept) << name;
    ::unlink(Path(kept).c_str());
    ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  }
}

TEST_F(InitTlsTest, AFolderThatOthersMayWriteToIsRefused) {
  ASSERT_EQ(::mkdir(folder_.c_str(), 0700), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0770), 0);
  const CliResult refused = RunCli({"init-tls", folder_});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("others may write to"));
  EXPECT_NE(::access(Path("ca-key.pem").c_str(), F_OK), 0);
}

TEST_F(InitTlsTest, RenewMakesNewCertificatesForTheSameKeys) {
  ASSERT_EQ(RunCli({"init-tls", folder_, "--host", "lab.example"}).code, 0);
  const auto before = Texts();
  ASSERT_EQ(RunCli({"init-tls", "--renew", folder_, "--host", "new.example"}).code, 0);
  for (const auto& [name, text] : Texts()) {
    const bool renewed = name == "server.pem" || name == "client.pem";
    EXPECT_EQ(text != before.at(name), renewed) << name;
  }
  EXPECT_EQ(Verify("server.pem", X509_PURPOSE_SSL_SERVER), X509_V_OK);
  EXPECT_EQ(Verify("client.pem", X509_PURPOSE_SSL_CLIENT), X509_V_OK);
  EXPECT_EQ(ModeOf(Path("server.pem")), 0644U);
  EXPECT_THAT(HostsOf(*Parsed("server.pem")),
              ElementsAre("localhost", "127.0.0.1", "::1", "lab.example", "new.example"));
  const auto key = KeyFromPem(Text("server-key.pem"));
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(X509_check_private_key(Parsed("server.pem").get(), key->get()), 1);
}

TEST_F(InitTlsTest, RenewSaysWhatIsMissing) {
  const CliResult nothing = RunCli({"init-tls", "--renew", folder_});
  EXPECT_EQ(nothing.code, 1);
  EXPECT_THAT(nothing.error, HasSubstr("ca.pem"));
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  std::ofstream(Path("ca-key.pem")) << "nonsense";
  const CliResult broken = RunCli({"init-tls", "--renew", folder_});
  EXPECT_EQ(broken.code, 1);
  EXPECT_THAT(broken.error, HasSubstr("ca-key.pem\": there is no private key"));
}

TEST_F(InitTlsTest, RenewWithAnothersKeyChangesNothing) {
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  const auto other = MakeKey();
  ASSERT_TRUE(other.ok());
  std::ofstream(Path("ca-key.pem")) << *ToPem(**other);
  const auto before = Texts();
  const CliResult refused = RunCli({"init-tls", "--renew", folder_});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("ca-key.pem\" is not the key of"));
  EXPECT_EQ(Texts(), before);
}

TEST_F(InitTlsTest, RenewLastsNoLongerThanTheAuthority) {
  ASSERT_EQ(RunCli({"init-tls", folder_}).code, 0);
  const auto key = KeyFromPem(Text("ca-key.pem"));
  ASSERT_TRUE(key.ok());
  const auto set_end = [&](long seconds) {
    const Certificate authority = Parsed("ca.pem");
    X509_gmtime_adj(X509_getm_notAfter(authority.get()), seconds);
    X509_sign(authority.get(), key->get(), EVP_sha256());
    std::ofstream(Path("ca.pem")) << *ToPem(*authority);
    return ValidityOf(*authority).end;
  };
  const absl::Time end = set_end(7 * 24 * 3600);
  const CliResult capped = RunCli({"init-tls", "--renew", folder_});
  EXPECT_EQ(capped.code, 0);
  EXPECT_THAT(capped.out,
              HasSubstr(absl::FormatTime("New until %Y-%m-%d", end, absl::UTCTimeZone())));
  for (const char* name : {"server.pem", "client.pem"})
    EXPECT_EQ(ValidityOf(*Parsed(name)).end, end) << name;
  EXPECT_EQ(Verify("server.pem", X509_PURPOSE_SSL_SERVER), X509_V_OK);

  set_end(-60);
  const auto before = Texts();
  const CliResult refused = RunCli({"init-tls", "--renew", folder_});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("with a new folder"));
  EXPECT_EQ(Texts(), before);
}

TEST_F(InitTlsTest, WhatIsPrintedCanBeCalled) {
  const std::string out =
      RunCli({"init-tls", folder_, "--host", "*.lab.example", "--host", "2001:db8::1"}).out;
  EXPECT_THAT(out, HasSubstr("rawgate --gateway '[2001:db8::1]'"));
  EXPECT_THAT(out, HasSubstr("--http_listen=tcp://0.0.0.0:8088"));
  EXPECT_THAT(out, HasSubstr("--http_hosts='[2001:db8::1]'"));
  EXPECT_THAT(out, HasSubstr("curl --cacert "));
  EXPECT_THAT(out, HasSubstr("'https://[2001:db8::1]:8088/"));
}

TEST_F(InitTlsTest, AWildcardAloneIsCalledByLocalhost) {
  const std::string out = RunCli({"init-tls", folder_, "--host", "*.lab.example"}).out;
  EXPECT_THAT(out, HasSubstr("rawgate --gateway localhost"));
  EXPECT_THAT(out, Not(HasSubstr("--http_hosts")));
}

TEST(NewTokenTest, PrintsATokenAndOnStandardErrorItsUser) {
  const CliResult made = RunCli({"new-token", "ci", "operator"});
  ASSERT_EQ(made.code, 0);
  const std::string token = made.out.substr(0, made.out.find('\n'));
  EXPECT_EQ(made.out, token + "\n");
  EXPECT_THAT(made.error, testing::StartsWith("# "));
  EXPECT_THAT(made.error, HasSubstr("--access_file"));
  EXPECT_EQ(token.size(), 43U);
  Sha256 digest;
  digest.Add(token);
  EXPECT_THAT(made.error, HasSubstr(absl::StrCat("\nuser {\n  name: \"ci\"\n  role: ROLE_OPERATOR\n"
                                                 "  token_sha256: \"",
                                                 digest.Digest(), "\"\n}\n")));
  EXPECT_THAT(RunCli({"new-token", "ci", "operator"}).out, Not(HasSubstr(token)));
}

}  // namespace
}  // namespace rawgate::cli
