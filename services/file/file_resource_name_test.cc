#include "services/file/file_resource_name.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_core.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

const std::string kDigest(64, 'a');

TEST(ResourceName, OfABlobHasNameSizeAndDigest) {
  const std::string stored = absl::StrCat("blobs/", kDigest, "/123");
  for (const auto& [before, behind] : std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"", "/meta/data"}, {"main/", ""}, {"a/b/c/", "/"}}) {
    const auto spec = ParseResourceName(absl::StrCat(before, "uploads/some-id/", stored, behind));
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->name.text(), before + stored);
    EXPECT_TRUE(spec->size_known);
    EXPECT_EQ(spec->size, 123u);
    EXPECT_EQ(spec->expected.sha256, kDigest);
  }
}

TEST(ResourceName, OfAnythingElseIsThatOfTheFile) {
  for (const std::string& name :
       {std::string("a"), std::string("folder/a"), absl::StrCat("blobs/", kDigest, "/123"),
        std::string("uploads/a"), std::string("uploads/a/b"), std::string("uploads/a/b/blobs"),
        absl::StrCat("Uploads/id/blobs/", kDigest, "/123")}) {
    const auto spec = ParseResourceName(name);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->name.text(), name);
    EXPECT_FALSE(spec->size_known);
    EXPECT_EQ(spec->size, kFileBytesMax);
    EXPECT_TRUE(spec->expected.empty());
  }
}

// printf %s 'folder/a' | sha256sum
TEST(ResourceName, HasItsOwnUpload) {
  const auto spec = ParseResourceName("folder/a");
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->upload_id, "33aff309b0ec5350b29a2e1cb93f8b5d");
  EXPECT_TRUE(CheckUploadId(spec->upload_id).ok());
  const std::string stored = absl::StrCat("blobs/", kDigest, "/123");
  EXPECT_NE(ParseResourceName("uploads/1/" + stored)->upload_id,
            ParseResourceName("uploads/2/" + stored)->upload_id);
}

TEST(ResourceName, OfABlobThatIsNotOneIsRefused) {
  for (const std::string& rest :
       {std::string("blobs"), absl::StrCat("blobs/", kDigest), absl::StrCat("blobs/", kDigest, "/"),
        absl::StrCat("blobs/", kDigest, "/-1"), absl::StrCat("blobs/", kDigest, "/+1"),
        absl::StrCat("blobs/", kDigest, "/01"), absl::StrCat("blobs/", kDigest, "/1k"),
        absl::StrCat("blobs/", kDigest, "/99999999999999999999"),
        absl::StrCat("blobs/", std::string(64, 'A'), "/1"),
        absl::StrCat("blobs/", std::string(64, 'g'), "/1"),
        absl::StrCat("blobs/", std::string(40, 'a'), "/1"),
        absl::StrCat("blobs/blake3/", kDigest, "/1"),
        absl::StrCat("compressed-blobs/zstd/", kDigest, "/1")}) {
    const auto spec = ParseResourceName("prefix/uploads/id/" + rest);
    EXPECT_REASON(spec.status(), kInvalidArgument, "BAD_RESOURCE_NAME");
    EXPECT_EQ(FieldOf(spec.status()), "resource_name");
  }
}

TEST(ResourceName, ThatNoFileCanHaveIsRefused) {
  const std::string blob = absl::StrCat("uploads/id/blobs/", kDigest, "/1");
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("../a"), std::string(".rawgate-uploads/a"),
        "/" + blob, "../" + blob, ".rawgate-uploads/" + blob}) {
    const auto spec = ParseResourceName(name);
    EXPECT_REASON(spec.status(), kInvalidArgument, "BAD_FILENAME");
    EXPECT_EQ(FieldOf(spec.status()), "resource_name");
  }
}

}  // namespace
}  // namespace rawgate::file
