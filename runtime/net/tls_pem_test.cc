#include "runtime/net/tls_pem.h"

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "runtime/base/status.h"
#include "runtime/testing/raw_client.h"
#include "runtime/testing/test_certificates.h"

namespace rawgate::net {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::TestAuthority;
using ::rawgate::testing::TestFolder;
using ::rawgate::testing::TestIdentity;

class TlsPemTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<TlsPemFiles>> Load() {
    return TlsPemFiles::Load({.certificate = folder_.Write("cert.pem", first_.certificate),
                              .key = folder_.Write("key.pem", first_.key)});
  }
  // Whether files that were changed come to be used.
  static bool BecomesCurrent(TlsPemFiles& files, const TestIdentity& identity) {
    return Eventually([&] { return files.Current()->certificate == identity.certificate; });
  }
  // Two looks at the files later.
  static void LookTwice(TlsPemFiles& files) {
    const absl::Time end = absl::Now() + 2 * absl::FromChrono(TlsPemFiles::kInterval);
    ASSERT_TRUE(Eventually([&] {
      files.Current();
      return absl::Now() > end;
    }));
  }

  TestAuthority authority_;
  const TestIdentity first_ = authority_.IssueForLoopback("first");
  const TestIdentity second_ = authority_.IssueForLoopback("second");
  TestFolder folder_;
};

TEST_F(TlsPemTest, TheHostIsTheFirstNameOfTheFirstCertificate) {
  EXPECT_EQ(TlsHost({first_.certificate + second_.certificate, "", ""}), "localhost");
  EXPECT_EQ(TlsHost({"none", "", ""}), "");
}

TEST_F(TlsPemTest, FilesThatTakeTheOldOnesPlaceAreRead) {
  auto files = Load();
  ASSERT_TRUE(files.ok()) << files.status();
  const auto before = (*files)->Current();
  EXPECT_EQ(before->certificate, first_.certificate);
  folder_.Write("key.pem", second_.key);
  folder_.Write("cert.pem", second_.certificate);
  EXPECT_TRUE(BecomesCurrent(**files, second_));
  EXPECT_EQ((*files)->Current()->key, second_.key);
  // Who holds what was there keeps it.
  EXPECT_EQ(before->certificate, first_.certificate);
}

TEST_F(TlsPemTest, FilesThatAreWrittenInPlaceAreRead) {
  auto files = Load();
  ASSERT_TRUE(files.ok()) << files.status();
  // In the same tick as the load, with the same size most of the time.
  folder_.WriteInPlace("cert.pem", second_.certificate);
  folder_.WriteInPlace("key.pem", second_.key);
  EXPECT_TRUE(BecomesCurrent(**files, second_));
}

TEST_F(TlsPemTest, AKeyOfAnotherCertificateChangesNothing) {
  auto files = Load();
  ASSERT_TRUE(files.ok()) << files.status();
  const auto before = (*files)->Current();
  folder_.Write("cert.pem", second_.certificate);
  LookTwice(**files);
  EXPECT_EQ((*files)->Current(), before);
  folder_.Write("key.pem", second_.key);
  EXPECT_TRUE(BecomesCurrent(**files, second_));
}

TEST_F(TlsPemTest, AHalfWrittenFileChangesNothing) {
  auto files = Load();
  ASSERT_TRUE(files.ok()) << files.status();
  const auto before = (*files)->Current();
  folder_.WriteInPlace("cert.pem", second_.certificate + second_.certificate.substr(0, 100));
  folder_.WriteInPlace("key.pem", second_.key);
  LookTwice(**files);
  EXPECT_EQ((*files)->Current(), before);
  folder_.WriteInPlace("cert.pem", "");
  LookTwice(**files);
  EXPECT_EQ((*files)->Current(), before);
  folder_.WriteInPlace("cert.pem", second_.certificate);
  EXPECT_TRUE(BecomesCurrent(**files, second_));
}

TEST_F(TlsPemTest, FilesThatVanishChangeNothing) {
  auto files = Load();
  ASSERT_TRUE(files.ok()) << files.status();
  const auto before = (*files)->Current();
  ::unlink(folder_.path("key.pem").c_str());
  LookTwice(**files);
  EXPECT_EQ((*files)->Current(), before);
}

TEST_F(TlsPemTest, WhoNamesTheSameFilesSharesThem) {
  auto files = Load();
  ASSERT_TRUE(files.ok()) << files.status();
  const TlsFiles paths = (*files)->files();
  EXPECT_EQ(TlsPemFiles::Load(paths).value(), *files);
  // And still learns what they are now.
  folder_.Write("key.pem", second_.key);
  EXPECT_EQ(ReasonOf(TlsPemFiles::Load(paths).status()), "KEY_MISMATCH");
  EXPECT_EQ((*files)->Current()->key, first_.key);
}

TEST_F(TlsPemTest, AnExpiredCertificateIsUsed) {
  const TestIdentity old = authority_.Issue("old", {"DNS:localhost"}, -absl::Hours(1));
  auto files = TlsPemFiles::Load({.certificate = folder_.Write("cert.pem", old.certificate),
                                  .key = folder_.Write("key.pem", old.key)});
  ASSERT_TRUE(files.ok()) << files.status();
  EXPECT_LT(TlsExpiry(*(*files)->Current()), absl::Now());
}

TEST_F(TlsPemTest, EachWrongFileHasAReason) {
  const auto reason = [&](TlsPem pem) { return ReasonOf(CheckTlsPem(pem)); };
  EXPECT_EQ(reason({first_.certificate, first_.key, authority_.certificate()}), "OK");
  EXPECT_EQ(reason({"", "", authority_.certificate()}), "OK");
  EXPECT_EQ(reason({"nothing", first_.key, ""}), "BAD_CERTIFICATE");
  EXPECT_EQ(reason({"", "", ""}), "BAD_CERTIFICATE");
  EXPECT_EQ(reason({first_.certificate, "nothing", ""}), "BAD_KEY");
  EXPECT_EQ(reason({first_.certificate, second_.key, ""}), "KEY_MISMATCH");
  EXPECT_EQ(reason({first_.certificate, first_.key, "nothing"}), "BAD_CLIENT_CA");
}

TEST_F(TlsPemTest, AFileThatCannotBeReadIsNamed) {
  const auto files =
      TlsPemFiles::Load({.certificate = folder_.path("none.pem"), .key = folder_.path("key.pem")});
  EXPECT_EQ(ReasonOf(files.status()), "ENOENT");
  EXPECT_NE(files.status().message().find("none.pem"), std::string::npos) << files.status();
}

}  // namespace
}  // namespace rawgate::net
