#include "services/file/file_download.h"

#include <sys/stat.h>

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using FileDownloadTest = StoreTest;

TEST_F(FileDownloadTest, DownloadsRanges) {
  ASSERT_TRUE(Put(*core_, "a", "0123456789").ok());
  const auto range = [&](uint64_t offset, std::optional<uint64_t> length) -> std::string {
    auto download = core_->OpenDownload(Name("a"), offset, length);
    if (!download.ok()) return ReasonOf(download.status());
    std::string content(download->length(), '\0');
    EXPECT_EQ(download->Read(std::span<char>(content.data(), content.size())).value(),
              content.size());
    EXPECT_EQ(download->remaining(), 0u);
    EXPECT_EQ(download->info().size, 10u);
    return content;
  };
  EXPECT_EQ(range(0, std::nullopt), "0123456789");
  EXPECT_EQ(range(3, 4), "3456");
  EXPECT_EQ(range(8, 100), "89");
  EXPECT_EQ(range(10, std::nullopt), "");
  EXPECT_EQ(range(2, 0), "");
  EXPECT_EQ(range(11, 0), "OFFSET_PAST_END");
  EXPECT_EQ(range(UINT64_MAX, UINT64_MAX), "OFFSET_PAST_END");
  EXPECT_EQ(range(1, UINT64_MAX), "123456789");
}

TEST_F(FileDownloadTest, AFileThatIsCutWhileReadIsAnError) {
  ASSERT_TRUE(Put(*core_, "a", "0123456789").ok());
  auto download = core_->OpenDownload(Name("a"));
  std::filesystem::resize_file(folder_ / "a", 4);
  std::array<char, 16> buffer;
  EXPECT_REASON(download->Read(buffer).status(), kDataLoss, "FILE_SHRUNK");
}

TEST_F(FileDownloadTest, OnlyFilesAndFoldersExist) {
  std::filesystem::create_symlink("/etc/passwd", folder_ / "link");
  std::filesystem::create_symlink("/etc", folder_ / "folder-link");
  std::filesystem::create_symlink("file", folder_ / "inner-link");
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  WriteWhole(folder_ / "file", "x");
  WriteWhole(folder_ / ".rawgate-0123456789abcdef", "x");
  for (const char* name :
       {"link", "folder-link/passwd", "inner-link", "fifo", "missing", "missing/x"}) {
    EXPECT_REASON(core_->Stat(Name(name)).status(), kNotFound, "FILE_NOT_FOUND");
    EXPECT_REASON(core_->OpenDownload(Name(name)).status(), kNotFound, "FILE_NOT_FOUND");
    EXPECT_REASON(core_->Delete(Name(name)), kNotFound, "FILE_NOT_FOUND");
  }
  for (const char* name : {"link", "folder-link/x", "folder-link", "inner-link", "fifo"}) {
    EXPECT_REASON(Put(*core_, name, "1").status(), kFailedPrecondition, "NOT_A_FILE");
  }
  const auto listing = core_->List(Name(""), "", 10);
  ASSERT_TRUE(listing.ok());
  ASSERT_EQ(listing->entries.size(), 1u);
  EXPECT_EQ(listing->entries[0].filename, "file");
}

}  // namespace
}  // namespace rawgate::file
