#include "services/file/file_upload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using FileUploadTest = StoreTest;

// ---- Storing

TEST_F(FileUploadTest, KeepsWhatItIsGiven) {
  const auto info = Put(*core_, "a.txt", "hello");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->filename, "a.txt");
  EXPECT_EQ(info->size, 5u);
  EXPECT_EQ(info->type, EntryType::kFile);
  EXPECT_TRUE(info->digests.empty());
  EXPECT_EQ(Get(*core_, "a.txt"), "hello");
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("a.txt"));

  const auto found = core_->Stat(Name("a.txt"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->size, 5u);
  EXPECT_EQ(found->modify_time, info->modify_time);
}

TEST_F(FileUploadTest, KeepsAnEmptyFile) {
  ASSERT_TRUE(Put(*core_, "empty", "").ok());
  EXPECT_EQ(core_->Stat(Name("empty"))->size, 0u);
  EXPECT_EQ(Get(*core_, "empty"), "");
}

TEST_F(FileUploadTest, ReplacesAnOlderFile) {
  ASSERT_TRUE(Put(*core_, "a", "older").ok());
  const auto older = core_->OpenDownload(Name("a"));
  ASSERT_TRUE(older.ok());
  ASSERT_TRUE(Put(*core_, "a", "newer, and longer").ok());
  EXPECT_EQ(Get(*core_, "a"), "newer, and longer");
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("a"));
}

TEST_F(FileUploadTest, ADownloadReadsOneVersion) {
  ASSERT_TRUE(Put(*core_, "a", "older").ok());
  auto download = core_->OpenDownload(Name("a"));
  ASSERT_TRUE(download.ok());
  ASSERT_TRUE(Put(*core_, "a", "newer").ok());
  std::array<char, 16> buffer;
  EXPECT_EQ(*download->Read(buffer), 5u);
  EXPECT_EQ(absl::string_view(buffer.data(), 5), "older");
}

TEST_F(FileUploadTest, MakesFoldersWhenTheFileIsWhole) {
  auto upload = core_->BeginUpload({.name = Name("x/y/z.txt"), .size = 1});
  ASSERT_TRUE(upload.ok());
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
  ASSERT_TRUE((*upload)->Append("1").ok());
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
  ASSERT_TRUE((*upload)->Commit().ok());
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("x", "x/y", "x/y/z.txt"));
}

TEST_F(FileUploadTest, SyncsEveryFolderMadeOrChanged) {
  int before = syscalls_.count("fsync");
  ASSERT_TRUE(Put(*core_, "x/y/z.txt", "1").ok());
  EXPECT_EQ(syscalls_.count("fsync") - before, 3);  // the root, x, y
  before = syscalls_.count("fsync");
  ASSERT_TRUE(Put(*core_, "x/y/z2.txt", "1").ok());
  EXPECT_EQ(syscalls_.count("fsync") - before, 1);  // y
}

TEST_F(FileUploadTest, DoesNotTrustFoldersThatItFinds) {
  std::filesystem::create_directories(folder_ / "x/y");
  const int before = syscalls_.count("fsync");
  ASSERT_TRUE(Put(*core_, "x/y/z.txt", "1").ok());
  EXPECT_EQ(syscalls_.count("fsync") - before, 3);
}

TEST_F(FileUploadTest, AFolderMadeAnewIsSyncedAnew) {
  ASSERT_TRUE(Put(*core_, "x/a", "1").ok());
  ASSERT_TRUE(core_->Delete(Name("x/a")).ok());
  ASSERT_TRUE(core_->Delete(Name("x")).ok());
  const int before = syscalls_.count("fsync");
  ASSERT_TRUE(Put(*core_, "x/a", "1").ok());
  EXPECT_EQ(syscalls_.count("fsync") - before, 2);
}

TEST_F(FileUploadTest, AFolderRemovedMeanwhileIsMadeAgain) {
  std::filesystem::create_directories(folder_ / "x/y");
  auto upload = core_->BeginUpload({.name = Name("x/y/z"), .size = 0});
  ASSERT_TRUE(upload.ok());
  std::filesystem::remove_all(folder_ / "x");
  ASSERT_TRUE((*upload)->Commit().ok());
  EXPECT_EQ(Get(*core_, "x/y/z"), "");
}

TEST_F(FileUploadTest, IfAbsentDoesNotReplace) {
  ASSERT_TRUE(Put(*core_, "a", "first", {.if_absent = true}).ok());
  EXPECT_REASON(Put(*core_, "a", "second", {.if_absent = true}).status(), kAlreadyExists,
                "FILE_EXISTS");
  EXPECT_EQ(Get(*core_, "a"), "first");
}

TEST_F(FileUploadTest, IfAbsentHoldsAtTheEndToo) {
  auto late = core_->BeginUpload({.name = Name("a"), .size = 0, .if_absent = true});
  ASSERT_TRUE(late.ok());
  ASSERT_TRUE(Put(*core_, "a", "first").ok());
  EXPECT_REASON((*late)->Commit().status(), kAlreadyExists, "FILE_EXISTS");
  EXPECT_EQ(Get(*core_, "a"), "first");
}

TEST_F(FileUploadTest, OnlyAWholeFileIsCommitted) {
  ASSERT_TRUE(Put(*core_, "a", "older").ok());
  auto upload = core_->BeginUpload({.name = Name("a"), .size = 10});
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->Append("123456789").ok());
  EXPECT_EQ((*upload)->remaining(), 1u);
  EXPECT_REASON((*upload)->Append("0+"), kInvalidArgument, "SIZE_MISMATCH");
  EXPECT_REASON((*upload)->Commit().status(), kInvalidArgument, "SIZE_MISMATCH");
  upload->reset();
  EXPECT_EQ(Get(*core_, "a"), "older");
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("a"));
}

TEST_F(FileUploadTest, NamesThatAreFoldersOrGoThroughFilesAreRefused) {
  std::filesystem::create_directories(folder_ / "folder");
  WriteWhole(folder_ / "file", "x");
  EXPECT_REASON(Put(*core_, "folder", "1").status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(Put(*core_, "file/below", "1").status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(Put(*core_, "file/far/below", "1").status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(core_->OpenDownload(Name("folder")).status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(core_->OpenDownload(Name("file/below")).status(), kNotFound, "FILE_NOT_FOUND");
  EXPECT_EQ(ReadWhole(folder_ / "file"), "x");
}

TEST_F(FileUploadTest, AFolderThatTakesTheNameMeanwhileIsRefused) {
  auto upload = core_->BeginUpload({.name = Name("a"), .size = 0});
  std::filesystem::create_directories(folder_ / "a");
  EXPECT_REASON((*upload)->Commit().status(), kFailedPrecondition, "NOT_A_FILE");
}

// ---- Limits

TEST_F(FileUploadTest, LimitsAreCheckedBeforeTheFirstByte) {
  const auto small = OpenStore(folder_.path(), syscalls_, {.file_max_bytes = 10});
  EXPECT_TRUE(Put(*small, "a", "0123456789").ok());
  EXPECT_REASON(small->BeginUpload({.name = Name("b"), .size = 11}).status(), kInvalidArgument,
                "FILE_TOO_LARGE");

  syscalls_.set_free_bytes(1000);
  const auto refused = core_->BeginUpload({.name = Name("b"), .size = 1001}).status();
  EXPECT_REASON(refused, kResourceExhausted, "NO_SPACE");
  EXPECT_TRUE(RetryAfterOf(refused).has_value());
  EXPECT_REASON(core_->BeginUpload({.name = Name("b"), .size = kFileBytesMax}).status(),
                kResourceExhausted, "NO_SPACE");
  EXPECT_TRUE(core_->BeginUpload({.name = Name("b"), .size = 999}).ok());
}

TEST_F(FileUploadTest, OfUnknownSizeIsAsLongAsTheStoreAllows) {
  UploadSpec spec{
      .name = Name("a"), .size = kFileBytesMax, .size_known = false, .upload_id = "unknown"};
  auto core = OpenStore(folder_.path(), syscalls_, {.file_max_bytes = 10});
  auto upload = core->BeginUpload(spec);
  ASSERT_TRUE(upload.ok()) << upload.status();
  ASSERT_TRUE((*upload)->Append("0123456789").ok());
  EXPECT_REASON((*upload)->Append("x"), kInvalidArgument, "FILE_TOO_LARGE");

  // Another limit does not make it another upload.
  upload->reset();
  core.reset();
  core = OpenStore(folder_.path(), syscalls_, {.file_max_bytes = 20});
  spec.offset = 10;
  upload = core->BeginUpload(spec);
  ASSERT_TRUE(upload.ok()) << upload.status();
  EXPECT_EQ((*upload)->Commit()->size, 10u);
}

TEST_F(FileUploadTest, TheCommittedSizeIsOnDisk) {
  const UploadSpec spec{.name = Name("a"), .size = 10, .upload_id = "id"};
  EXPECT_REASON(core_->CommittedSize(spec).status(), kNotFound, "UPLOAD_NOT_FOUND");
  auto upload = core_->BeginUpload(spec);
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->Append("01234").ok());
  const int before = syscalls_.count("fdatasync");
  EXPECT_EQ(core_->CommittedSize(spec).value(), 5u);
  const int once = syscalls_.count("fdatasync");
  EXPECT_GT(once, before);
  EXPECT_EQ(core_->CommittedSize(spec).value(), 5u);
  EXPECT_EQ(syscalls_.count("fdatasync"), once);
  ASSERT_TRUE((*upload)->Append("56789").ok());
  EXPECT_EQ(core_->CommittedSize(spec).value(), 10u);
  // Ids are the clients' choice.
  EXPECT_REASON(core_->CommittedSize({.name = Name("b"), .size = 10, .upload_id = "id"}).status(),
                kNotFound, "UPLOAD_NOT_FOUND");
  ASSERT_TRUE((*upload)->Commit().ok());
  EXPECT_REASON(core_->CommittedSize(spec).status(), kNotFound, "UPLOAD_NOT_FOUND");
}

TEST_F(FileUploadTest, SpaceIsReservedWhereTheFileSystemCan) {
  syscalls_.FailAlways("fallocate", ENOSPC);
  EXPECT_REASON(core_->BeginUpload({.name = Name("a"), .size = 4 << 20}).status(),
                kResourceExhausted, "NO_SPACE");
  syscalls_.FailAlways("fallocate", EOPNOTSUPP);
  EXPECT_TRUE(Put(*core_, "a", std::string(4 << 20, 'x')).ok());
}

TEST_F(FileUploadTest, ReservesNoMoreThanWhatComesIsWorth) {
  constexpr uint64_t kSize = 64 << 20;
  const std::string mebibyte(1 << 20, 'x');
  auto upload = core_->BeginUpload({.name = Name("a"), .size = kSize});
  ASSERT_TRUE(upload.ok());
  EXPECT_LE(syscalls_.reserved(), 1u << 20);
  for (uint64_t sent = mebibyte.size(); sent <= kSize; sent += mebibyte.size()) {
    ASSERT_TRUE((*upload)->Append(mebibyte).ok());
    EXPECT_GE(syscalls_.reserved(), sent);
    EXPECT_LE(syscalls_.reserved(), 2 * sent + 2 * mebibyte.size());
  }
  EXPECT_EQ(syscalls_.reserved(), kSize);
  EXPECT_LT(syscalls_.count("fallocate"), 10);
}

TEST_F(FileUploadTest, ADiskThatFillsUpMeanwhileIsToldOf) {
  auto upload = core_->BeginUpload({.name = Name("a"), .size = 64 << 20});
  ASSERT_TRUE(upload.ok());
  syscalls_.FailAlways("fallocate", ENOSPC);
  EXPECT_REASON((*upload)->Append(std::string(4 << 20, 'x')), kResourceExhausted, "NO_SPACE");
}

TEST_F(FileUploadTest, UploadsAtOnceAreLimited) {
  const auto core = OpenStore(folder_.path(), syscalls_, {.uploads_max = 2});
  auto first = core->BeginUpload({.name = Name("a")});
  auto second = core->BeginUpload({.name = Name("b")});
  ASSERT_TRUE(first.ok() && second.ok());
  const auto third = core->BeginUpload({.name = Name("c")}).status();
  EXPECT_REASON(third, kResourceExhausted, "TOO_MANY_UPLOADS");
  EXPECT_TRUE(RetryAfterOf(third).has_value());
  first->reset();
  EXPECT_TRUE(core->BeginUpload({.name = Name("c")}).ok());
}

}  // namespace
}  // namespace rawgate::file
