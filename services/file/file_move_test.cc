#include "services/file/file_move.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::UnorderedElementsAre;

class MoveTest : public StoreTest {
 protected:
  absl::Status Move(absl::string_view from, absl::string_view to, bool if_absent = false) {
    return core_->Move(Name(from), Name(to), if_absent).status();
  }
};

TEST_F(MoveTest, GivesAFileAnotherName) {
  ASSERT_TRUE(Put(*core_, "a", "content").ok());
  const auto moved = core_->Move(Name("a"), Name("x/y/b"), false);
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(moved->filename, "x/y/b");
  EXPECT_EQ(moved->size, 7u);
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("x", "x/y", "x/y/b"));
  EXPECT_EQ(Get(*core_, "x/y/b"), "content");
}

TEST_F(MoveTest, SyncsBothFolders) {
  ASSERT_TRUE(Put(*core_, "a/f", "1").ok());
  ASSERT_TRUE(Put(*core_, "b/f", "2").ok());
  const int before = syscalls_.count("fsync");
  ASSERT_TRUE(Move("a/f", "b/g").ok());
  EXPECT_EQ(syscalls_.count("fsync") - before, 2);
  syscalls_.FailAlways("fsync", EIO);
  EXPECT_REASON(Move("b/g", "b/h"), kDataLoss, "SYNC_FAILED");
}

TEST_F(MoveTest, AFileThatIsReplacedKeepsItsBytesUntilThatIsOnDisk) {
  ASSERT_TRUE(Put(*core_, "a", "1").ok());
  ASSERT_TRUE(Put(*core_, "b", "2").ok());
  syscalls_.AtFsync([&] { EXPECT_EQ(HeldWithoutName(folder_.path()), 1); });
  ASSERT_TRUE(Move("a", "b").ok());
  EXPECT_EQ(HeldWithoutName(folder_.path()), 0);
}

TEST_F(MoveTest, ReplacesAFileUnlessToldNotTo) {
  ASSERT_TRUE(Put(*core_, "a", "newer").ok());
  ASSERT_TRUE(Put(*core_, "b", "older").ok());
  EXPECT_REASON(Move("a", "b", true), kAlreadyExists, "FILE_EXISTS");
  EXPECT_EQ(Get(*core_, "b"), "older");
  ASSERT_TRUE(Move("a", "b").ok());
  EXPECT_EQ(Get(*core_, "b"), "newer");
  EXPECT_THAT(AllEntries(folder_.path()), UnorderedElementsAre("b"));
}

TEST_F(MoveTest, MovesFoldersButReplacesNone) {
  ASSERT_TRUE(Put(*core_, "a/f", "1").ok());
  ASSERT_TRUE(Put(*core_, "b/f", "2").ok());
  std::filesystem::create_directory(folder_ / "empty");
  EXPECT_REASON(Move("a", "b"), kAlreadyExists, "FILE_EXISTS");
  EXPECT_REASON(Move("a", "empty"), kAlreadyExists, "FILE_EXISTS");
  EXPECT_REASON(Move("a/f", "empty"), kAlreadyExists, "FILE_EXISTS");
  EXPECT_REASON(Move("a", "b/f"), kAlreadyExists, "FILE_EXISTS");
  EXPECT_REASON(Move("a", "a/b"), kInvalidArgument, "FOLDER_INTO_ITSELF");
  EXPECT_REASON(Move("a/f", "a/f/g"), kFailedPrecondition, "NOT_A_FILE");
  ASSERT_TRUE(Move("a", "c/d").ok());
  EXPECT_EQ(Get(*core_, "c/d/f"), "1");
  // A folder of the old name is a new one, and as durable as any.
  const int before = syscalls_.count("fsync");
  ASSERT_TRUE(Put(*core_, "a/f", "3").ok());
  EXPECT_GE(syscalls_.count("fsync") - before, 2);
}

TEST_F(MoveTest, RefusesWhatIsNotThere) {
  ASSERT_TRUE(Put(*core_, "a", "1").ok());
  EXPECT_REASON(Move("no", "b"), kNotFound, "FILE_NOT_FOUND");
  EXPECT_REASON(Move("a/b", "c"), kNotFound, "FILE_NOT_FOUND");
  EXPECT_REASON(Move("a", "a", true), kAlreadyExists, "FILE_EXISTS");
  EXPECT_TRUE(Move("a", "a").ok());
  std::filesystem::create_symlink("/etc", folder_ / "link");
  EXPECT_REASON(Move("link", "b"), kNotFound, "FILE_NOT_FOUND");
  EXPECT_REASON(Move("a", "link/passwd"), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_REASON(Move("a", "link"), kAlreadyExists, "FILE_EXISTS");
}

TEST_F(MoveTest, AnotherFileSystemIsRefused) {
  ASSERT_TRUE(Put(*core_, "a", "1").ok());
  syscalls_.FailAlways("renameat2", EXDEV);
  EXPECT_REASON(Move("a", "b"), kFailedPrecondition, "OTHER_FILE_SYSTEM");
}

TEST_F(MoveTest, WorksWhereAFileSystemCannotPromiseNotToReplace) {
  ASSERT_TRUE(Put(*core_, "a", "1").ok());
  syscalls_.FailAlways("renameat2(flags)", EINVAL);
  ASSERT_TRUE(Move("a", "b").ok());
  EXPECT_EQ(Get(*core_, "b"), "1");
}

TEST_F(MoveTest, ADigestGoesWithItsFile) {
  ASSERT_TRUE(Put(*core_, "a", "1", {.wanted = {.sha256 = true}}).ok());
  const std::string known = core_->Stat(Name("a"))->digests.sha256;
  ASSERT_EQ(known.size(), 64u);
  EXPECT_EQ(core_->Move(Name("a"), Name("b"), false)->digests.sha256, known);
  EXPECT_EQ(core_->Stat(Name("b"))->digests.sha256, known);
}

}  // namespace
}  // namespace rawgate::file
