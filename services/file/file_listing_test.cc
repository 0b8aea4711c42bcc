#include "services/file/file_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Names(const FileListing& listing) {
  std::vector<std::string> names;
  for (const FileInfo& entry : listing.entries) names.push_back(entry.filename);
  return names;
}

TEST(Listing, IsOneFolderByName) {
  TestFolder folder;
  for (const char* name : {"b", "a", "folder/inner", "Z", "\xff", ".hidden", ".rawgate-00"}) {
    WriteWhole(folder / name, "123");
  }
  const auto core = OpenStore(folder.path());
  const auto listing = core->List(Name(""), "", 100);
  ASSERT_TRUE(listing.ok());
  EXPECT_THAT(Names(*listing), ElementsAre(".hidden", "Z", "a", "b", "folder", "\xff"));
  EXPECT_EQ(listing->next, "");
  EXPECT_EQ(listing->entries[2].size, 3u);
  EXPECT_EQ(listing->entries[2].type, EntryType::kFile);
  EXPECT_EQ(listing->entries[4].type, EntryType::kFolder);
  EXPECT_EQ(listing->entries[4].size, 0u);
  EXPECT_THAT(Names(*core->List(Name("folder"), "", 100)), ElementsAre("folder/inner"));
}

TEST(Listing, ComesInPages) {
  TestFolder folder;
  std::vector<std::string> all;
  for (int i = 100; i < 125; ++i) {
    all.push_back(absl::StrCat("f", i));
    WriteWhole(folder / all.back(), "");
  }
  const auto core = OpenStore(folder.path());
  for (size_t limit : {1, 2, 5, 24, 25, 26, 1000}) {
    std::vector<std::string> listed;
    std::string next;
    do {
      const auto page = core->List(Name(""), next, limit);
      ASSERT_TRUE(page.ok());
      EXPECT_LE(page->entries.size(), limit);
      for (const std::string& name : Names(*page)) listed.push_back(name);
      next = page->next;
    } while (!next.empty());
    EXPECT_EQ(listed, all) << limit;
  }
}

TEST(Listing, OfAnEmptyFolderIsEmpty) {
  TestFolder folder;
  const auto listing = OpenStore(folder.path())->List(Name(""), "", 10);
  ASSERT_TRUE(listing.ok());
  EXPECT_THAT(listing->entries, IsEmpty());
  EXPECT_EQ(listing->next, "");
}

TEST(Listing, TellsAFileFromNothing) {
  TestFolder folder;
  WriteWhole(folder / "file", "");
  for (int without_openat2 : {0, ENOSYS}) {
    FaultySyscalls syscalls;
    if (without_openat2 != 0) syscalls.FailAlways("openat2", without_openat2);
    const auto core = OpenStore(folder.path(), syscalls);
    const absl::Status file = core->List(Name("file"), "", 10).status();
    EXPECT_EQ(file.code(), absl::StatusCode::kFailedPrecondition) << file;
    EXPECT_EQ(ReasonOf(file), "NOT_A_FOLDER");
    EXPECT_EQ(ReasonOf(core->List(Name("missing"), "", 10).status()), "FILE_NOT_FOUND");
    EXPECT_EQ(ReasonOf(core->List(Name("file/below"), "", 10).status()), "FILE_NOT_FOUND");
  }
}

TEST(PageToken, ComesBackAsItWent) {
  for (const std::string& name :
       {std::string("a"), std::string("\xff\x01 b"), std::string(255, 'x')}) {
    const auto decoded = DecodePageToken(EncodePageToken(name));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(*decoded, name);
  }
  EXPECT_EQ(*DecodePageToken(""), "");
}

TEST(PageToken, ThatIsNoneIsRefused) {
  for (const std::string& token :
       {std::string("!"), std::string("a b"), std::string("YQ="), std::string(1000, 'A')}) {
    EXPECT_EQ(ReasonOf(DecodePageToken(token).status()), "INVALID_PAGE_TOKEN") << token;
  }
}

}  // namespace
}  // namespace rawgate::file
