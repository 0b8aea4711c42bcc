// rawgate init-tls --service.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "cli/certificates.h"
#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class InitTlsServicesTest : public testing::Test {
 protected:
  InitTlsServicesTest() {
    std::string parent = absl::StrCat(testing::TempDir(), "/init-tls-services-XXXXXX");
    EXPECT_NE(::mkdtemp(parent.data()), nullptr);
    parent_ = parent;
    folder_ = absl::StrCat(parent, "/made");
  }
  ~InitTlsServicesTest() override { std::filesystem::remove_all(parent_); }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }
  bool IsThere(const std::string& name) const { return std::filesystem::exists(Path(name)); }
  std::string Text(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(Path(name)).rdbuf();
    return text.str();
  }
  Certificate Parsed(const std::string& name) const {
    auto certificate = CertificateFromPem(Text(name));
    EXPECT_TRUE(certificate.ok()) << name;
    return *std::move(certificate);
  }
  void ExpectFits(const std::string& name) const {
    const auto key = KeyFromPem(Text(absl::StrCat(name, ".service-key.pem")));
    ASSERT_TRUE(key.ok()) << name;
    EXPECT_TRUE(KeyFits(*Parsed(absl::StrCat(name, ".service.pem")), **key)) << name;
  }

  std::string parent_;
  std::string folder_;
};

// And for no other: what one of them holds is good for nothing at the gateway's names.
TEST_F(InitTlsServicesTest, EachHasACertificateForItsNamesAndAKeyOfItsOwn) {
  const CliResult made =
      RunCli({"init-tls", folder_, "--host", "lab.example", "--service", "echo,echo.lab",
              "--service", "192.0.2.7", "--service", "echo,echo.example"});
  ASSERT_EQ(made.code, 0) << made.error;
  EXPECT_THAT(HostsOf(*Parsed("echo.service.pem")),
              ElementsAre("echo", "echo.lab", "echo.example"));
  EXPECT_THAT(HostsOf(*Parsed("192.0.2.7.service.pem")), ElementsAre("192.0.2.7"));
  ExpectFits("echo");
  ExpectFits("192.0.2.7");
  EXPECT_NE(Text("echo.service-key.pem"), Text("192.0.2.7.service-key.pem"));
  struct stat status {};
  ASSERT_EQ(::stat(Path("echo.service-key.pem").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(X509_check_ca(Parsed("echo.service.pem").get()), 0);
  EXPECT_THAT(made.out, HasSubstr("echo.service-key.pem"));
  EXPECT_THAT(made.out, HasSubstr("--backend_tls_ca="));
}

// Whoever has it is not the gateway: services are called by nobody else.
TEST_F(InitTlsServicesTest, ACertificateOfAServiceIsNotTheGateways) {
  ASSERT_EQ(RunCli({"init-tls", folder_, "--service", "echo"}).code, 0);
  const auto uris = [this](const std::string& name) {
    const Certificate certificate = Parsed(name);
    auto* const names = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr));
    std::vector<std::string> found;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
      int type = 0;
      const auto* const value = static_cast<const ASN1_STRING*>(
          GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type));
      if (type == GEN_URI) {
        found.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                           static_cast<size_t>(ASN1_STRING_length(value)));
      }
    }
    GENERAL_NAMES_free(names);
    return found;
  };
  EXPECT_THAT(uris("server.pem"), ElementsAre("urn:rawgate:gateway"));
  EXPECT_THAT(uris("echo.service.pem"), ElementsAre("urn:rawgate:service:echo"));
}

TEST_F(InitTlsServicesTest, RenewMakesNewOnesForTheSameKeysAndOneMore) {
  ASSERT_EQ(RunCli({"init-tls", folder_, "--service", "echo"}).code, 0);
  const std::string key = Text("echo.service-key.pem");
  const std::string certificate = Text("echo.service.pem");
  const CliResult renewed = RunCli({"init-tls", "--renew", folder_, "--host", "new.example",
                                    "--service", "echo,echo.lab", "--service", "file"});
  ASSERT_EQ(renewed.code, 0) << renewed.error;
  EXPECT_EQ(Text("echo.service-key.pem"), key);
  EXPECT_NE(Text("echo.service.pem"), certificate);
  EXPECT_THAT(HostsOf(*Parsed("echo.service.pem")), ElementsAre("echo", "echo.lab"));
  ExpectFits("echo");
  ExpectFits("file");
  EXPECT_THAT(renewed.out, HasSubstr("echo.service.pem, file.service.pem"));
}

TEST_F(InitTlsServicesTest, NamesThatCannotBeCalledAreRefused) {
  for (const char* name : {"*.lab.example", "../up", "a/b", "", "echo,", "echo,*.lab"}) {
    const CliResult refused = RunCli({"init-tls", folder_, "--service", name});
    EXPECT_EQ(refused.code, 2) << name;
    EXPECT_FALSE(IsThere("ca.pem")) << name;
  }
}

}  // namespace
}  // namespace rawgate::cli
