#include "gateway/access_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Of "one" and "two", as sha256sum prints them.
constexpr char kOne[] = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
constexpr char kTwo[] = "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";

// The message of what is wrong with a file of that text.
std::string FaultsOf(const std::string& text) {
  const auto table = ParseAccessFile(text, "access");
  EXPECT_FALSE(table.ok()) << text;
  EXPECT_EQ(ReasonOf(table.status()), "BAD_ACCESS_FILE");
  return std::string(table.status().message());
}

std::string UserWith(const std::string& fields) { return absl::StrCat("user { ", fields, " }\n"); }

TEST(AccessFileTest, UsersAreFoundByEachOfTheirCredentials) {
  const auto table = ParseAccessFile(
      absl::StrCat("# who may call\n",
                   UserWith(absl::StrCat("name: \"ops\" role: ROLE_OPERATOR token_sha256: [\"",
                                         kOne, "\", \"", kTwo, "\"]")),
                   UserWith("name: \"deploy\" role: ROLE_ADMIN certificate_uri: \"urn:a\" "
                            "certificate_common_name: \"deploy\"")),
      "access");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)->size(), 2U);
  for (const char* token : {"one", "two"}) {
    ASSERT_NE((*table)->FindToken(token), nullptr);
    EXPECT_EQ((*table)->FindToken(token)->name, "ops");
    EXPECT_EQ((*table)->FindToken(token)->role, rpc::Role::kOperator);
  }
  ASSERT_NE((*table)->FindCertificateUri("urn:a"), nullptr);
  EXPECT_EQ((*table)->FindCertificateUri("urn:a")->name, "deploy");
  ASSERT_NE((*table)->FindCommonName("deploy"), nullptr);
  EXPECT_EQ((*table)->FindCommonName("deploy")->role, rpc::Role::kAdmin);
}

TEST(AccessFileTest, NobodyIsFoundByAnythingElse) {
  const auto table =
      ParseAccessFile(UserWith(absl::StrCat("name: \"ops\" role: ROLE_VIEWER token_sha256: \"",
                                            kOne, "\" certificate_uri: \"urn:a\"")),
                      "access");
  ASSERT_TRUE(table.ok()) << table.status();
  for (const std::string& token : {std::string("On"), std::string("one "), std::string("ONE"),
                                   std::string(kOne), std::string("one\0", 4), std::string()})
    EXPECT_EQ((*table)->FindToken(token), nullptr) << token;
  EXPECT_EQ((*table)->FindCertificateUri("urn:A"), nullptr);
  EXPECT_EQ((*table)->FindCertificateUri(std::string("urn:a\0", 6)), nullptr);
  EXPECT_EQ((*table)->FindCommonName("urn:a"), nullptr);
}

TEST(AccessFileTest, DigitsMayBeOfEitherCase) {
  std::string upper = kOne;
  for (char& digit : upper) digit = static_cast<char>(std::toupper(digit));
  const auto table = ParseAccessFile(
      UserWith(absl::StrCat("name: \"a\" role: ROLE_VIEWER token_sha256: \"", upper, "\"")),
      "access");
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_NE((*table)->FindToken("one"), nullptr);
}

TEST(AccessFileTest, FaultsNameLineAndUser) {
  const std::string faults = FaultsOf(absl::StrCat(
      UserWith(absl::StrCat("name: \"a\" role: ROLE_VIEWER token_sha256: \"", kOne, "\"")),
      UserWith("name: \"b\" role: ROLE_ADMIN token_sha256: \"secret\""),
      UserWith(absl::StrCat("name: \"c\" role: ROLE_ADMIN token_sha256: \"", kOne, "\"")),
      UserWith("name: \"a\" role: ROLE_ADMIN certificate_uri: \"urn:a\""),
      UserWith("name: \"d\" certificate_uri: \"urn:d\""),
      UserWith("name: \"e\" role: 9 certificate_uri: \"\""),
      UserWith("name: \"f\" role: ROLE_ADMIN")));
  EXPECT_THAT(faults, HasSubstr("access:2:35: user \"b\" has a token_sha256 that is not 64"));
  EXPECT_THAT(faults, Not(HasSubstr("secret")));
  EXPECT_THAT(faults, HasSubstr("access:3:35: user \"c\" has a token_sha256 that user \"a\" has"));
  EXPECT_THAT(faults, HasSubstr("access:4:8: user \"a\" is there twice"));
  EXPECT_THAT(faults, HasSubstr("user \"d\" needs one of ROLE_VIEWER"));
  EXPECT_THAT(faults, HasSubstr("user \"e\" needs one of ROLE_VIEWER"));
  EXPECT_THAT(faults, HasSubstr("user \"e\" has an empty certificate_uri"));
  EXPECT_THAT(faults, HasSubstr("access:7:8: user \"f\" has no credential"));
  EXPECT_THAT(faults, Not(HasSubstr(kOne)));
}

TEST(AccessFileTest, NamesArePrintableAndShort) {
  for (const std::string& name : {std::string(), std::string(65, 'a'), std::string("a\\n"),
                                  std::string(" a"), std::string("a "), std::string("\303\244")}) {
    EXPECT_THAT(FaultsOf(UserWith(
                    absl::StrCat("name: \"", name, "\" role: ROLE_ADMIN certificate_uri: \"u\""))),
                HasSubstr("needs a name of at most 64 printable ASCII characters"));
  }
}

TEST(AccessFileTest, SyntaxFaultsRepeatNoValue) {
  EXPECT_THAT(FaultsOf("user {\n  name: \"a\"\n  token_sha256: secret\n}"),
              AllOf(HasSubstr("access:3:17: Expected string"), Not(HasSubstr("secret"))));
  EXPECT_THAT(FaultsOf("user { nmae: \"a\" }"), HasSubstr("no field named \"nmae\""));
  EXPECT_THAT(FaultsOf("user { name: \"a\" role: ROLE_KING }"), HasSubstr("ROLE_KING"));
}

TEST(AccessFileTest, UsersAreOneToAThousand) {
  EXPECT_THAT(FaultsOf("# nobody\n"), HasSubstr("no user"));
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&text, UserWith(absl::StrCat("name: \"u", i,
                                                 "\" role: ROLE_VIEWER "
                                                 "certificate_uri: \"urn:",
                                                 i, "\"")));
  }
  EXPECT_TRUE(ParseAccessFile(text, "access").ok());
  absl::StrAppend(&text, UserWith("name: \"more\" role: ROLE_VIEWER certificate_uri: \"urn:m\""));
  EXPECT_THAT(FaultsOf(text), HasSubstr("access:1001:1: more than 1000 users"));
}

TEST(AccessFileTest, FilesThatAreReadAtAll) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/access-", ::getpid());
  EXPECT_EQ(ReasonOf(ReadAccessFile(path).status()), "ENOENT");
  EXPECT_THAT(std::string(ReadAccessFile("/dev/zero").status().message()),
              HasSubstr("not a regular file"));
  std::FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  std::fputs("text", file);
  ASSERT_EQ(::fchmod(::fileno(file), 0646), 0);
  std::fflush(file);
  EXPECT_THAT(std::string(ReadAccessFile(path).status().message()),
              HasSubstr("every user of this machine may write to it"));
  ASSERT_EQ(::fchmod(::fileno(file), 0600), 0);
  EXPECT_EQ(*ReadAccessFile(path), "text");
  ASSERT_EQ(::ftruncate(::fileno(file), (1 << 20) + 1), 0);
  EXPECT_THAT(std::string(ReadAccessFile(path).status().message()),
              HasSubstr("more than 1048576 bytes"));
  std::fclose(file);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace rawgate::gateway
