#include "services/file/file_core.h"

#include <sys/stat.h>

#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using FileCoreTest = StoreTest;

// ---- The root

TEST(FileRoot, IsMadeForItsOwnerOnly) {
  TestFolder folder;
  const auto core = OpenStore(folder / "state/files");
  struct stat status;
  ASSERT_EQ(::stat((folder / "state/files").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_EQ(::stat((folder / "state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  EXPECT_TRUE(Put(*core, "a", "x").ok());
}

TEST(FileRoot, ThatIsAFileIsAnError) {
  TestFolder folder;
  WriteWhole(folder / "file", "x");
  EXPECT_FALSE(FileCore::Open({.root = folder / "file"}).ok());
  EXPECT_FALSE(FileCore::Open({.root = folder / "file/below"}).ok());
}

// ---- Deleting

TEST_F(FileCoreTest, ADeletedFileKeepsItsBytesUntilThatIsOnDisk) {
  ASSERT_TRUE(Put(*core_, "a", "x").ok());
  syscalls_.AtFsync([&] { EXPECT_EQ(HeldWithoutName(folder_.path()), 1); });
  ASSERT_TRUE(core_->Delete(Name("a")).ok());
  EXPECT_EQ(HeldWithoutName(folder_.path()), 0);
}

TEST_F(FileCoreTest, DeletesFilesAndEmptyFolders) {
  ASSERT_TRUE(Put(*core_, "x/a", "1").ok());
  EXPECT_REASON(core_->Delete(Name("x")), kFailedPrecondition, "FOLDER_NOT_EMPTY");
  const int before = syscalls_.count("fsync");
  EXPECT_TRUE(core_->Delete(Name("x/a")).ok());
  EXPECT_EQ(syscalls_.count("fsync") - before, 1);
  EXPECT_TRUE(core_->Delete(Name("x")).ok());
  EXPECT_THAT(AllEntries(folder_.path()), IsEmpty());
  EXPECT_REASON(core_->Delete(Name("x")), kNotFound, "FILE_NOT_FOUND");
}

TEST_F(FileCoreTest, ADeletionThatIsNotDurableSaysSo) {
  ASSERT_TRUE(Put(*core_, "a", "1").ok());
  syscalls_.FailAlways("fsync", EIO);
  EXPECT_REASON(core_->Delete(Name("a")), kDataLoss, "SYNC_FAILED");
}

TEST_F(FileCoreTest, TellsItsLimits) {
  syscalls_.set_free_bytes(12345);
  const auto limits = core_->GetLimits();
  ASSERT_TRUE(limits.ok());
  EXPECT_EQ(limits->free_bytes, 12345u);
  EXPECT_EQ(limits->file_max_bytes, kFileBytesMax);
}

// ---- Several at once

TEST_F(FileCoreTest, UploadsOfOneNameAtOnceLeaveOneWholeFile) {
  std::vector<std::thread> threads;
  std::atomic<int> stored{0};
  for (char letter = 'a'; letter < 'i'; ++letter) {
    threads.emplace_back([&, letter] {
      for (int i = 0; i < 10; ++i) {
        if (Put(*core_, "folder/same", std::string(10'000, letter)).ok()) ++stored;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, 80);
  const std::string content = Get(*core_, "folder/same");
  EXPECT_EQ(content, std::string(10'000, content[0]));
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("folder", "folder/same"));
}

TEST_F(FileCoreTest, OnlyOneOfManyIfAbsentUploadsWins) {
  std::vector<std::thread> threads;
  std::atomic<int> stored{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      if (Put(*core_, "same", "x", {.if_absent = true}).ok()) ++stored;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(stored, 1);
}

}  // namespace
}  // namespace rawgate::file
