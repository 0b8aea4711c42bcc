// Resumable uploads: attempts that follow each other, restarts, power cuts, their completion.
#include "services/file/file_unfinished.h"

#include <functional>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_unfinished_testing.h"

namespace rawgate::file {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST_F(UnfinishedTest, GoesOnWhereItWas) {
  ASSERT_TRUE(Bring(0, 5).ok());
  EXPECT_THAT(Visible(), IsEmpty());
  const auto progress = core_->GetUpload("u");
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_EQ(progress->state.committed, 5u);
  EXPECT_EQ(progress->state.size, kContent.size());
  EXPECT_EQ(progress->state.filename, "a.txt");
  EXPECT_EQ(progress->prefix_sha256, kHelloSha256);

  const auto info = BringTheRest(5);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
  EXPECT_THAT(Visible(), UnorderedElementsAre("a.txt"));
  EXPECT_THAT(Hidden(), IsEmpty());
  EXPECT_REASON(core_->GetUpload("u").status(), kNotFound, "UPLOAD_NOT_FOUND");
}

TEST_F(UnfinishedTest, OutlivesTheProcess) {
  ASSERT_TRUE(Bring(0, 5).ok());
  Restart();
  EXPECT_EQ(Committed(), 5u);
  EXPECT_EQ(core_->RemoveLeftovers(), 0u);
  ASSERT_TRUE(BringTheRest(5).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

TEST_F(UnfinishedTest, KeepsItsExpectationsOverARestart) {
  UploadSpec spec = Spec();
  spec.expected.sha256 = std::string(64, '0');
  {
    auto upload = core_->BeginUpload(spec);
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE((*upload)->Append(kContent.substr(0, 5)).ok());
  }
  Restart();
  EXPECT_REASON(BringTheRest(5).status(), kDataLoss, "DIGEST_MISMATCH");
  EXPECT_THAT(Visible(), IsEmpty());
  // What is not what was meant is not worth another attempt.
  EXPECT_THAT(Hidden(), IsEmpty());
}

TEST_F(UnfinishedTest, ALaterAttemptMayExpectMore) {
  ASSERT_TRUE(Bring(0, 5).ok());
  UploadSpec spec = Spec(5);
  spec.expected.sha256 = std::string(64, '0');
  auto upload = core_->BeginUpload(spec);
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->Append(kContent.substr(5)).ok());
  EXPECT_REASON((*upload)->Commit().status(), kDataLoss, "DIGEST_MISMATCH");
  EXPECT_THAT(Visible(), IsEmpty());
}

TEST_F(UnfinishedTest, ItsFolderIsDurableBeforeAnythingIsInIt) {
  syscalls_.FailAlways("fsync", EINTR);
  EXPECT_REASON(Bring(0, 5), kDataLoss, "SYNC_FAILED");
  EXPECT_REASON(Bring(0, 5), kDataLoss, "SYNC_FAILED");
  syscalls_.FailAlways("fsync", 0);
  EXPECT_TRUE(Bring(0, 5).ok());
}

TEST_F(UnfinishedTest, AfterAPowerCutTrustsWhatWasSynced) {
  ASSERT_TRUE(Bring(0, 3).ok());
  ASSERT_EQ(Committed(), 3u);
  ASSERT_TRUE(Bring(3, 5).ok());
  Restart({.boot_id = "another boot"});
  EXPECT_EQ(Committed(), 3u);
  ASSERT_TRUE(BringTheRest(3).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

TEST_F(UnfinishedTest, AfterAPowerCutWithoutACheckpointBeginsAnew) {
  ASSERT_TRUE(Bring(0, 5).ok());
  Restart({.boot_id = "another boot"});
  EXPECT_EQ(Committed(), 0u);
}

TEST_F(UnfinishedTest, ARecordKeepsItsBytesUntilTheNextIsOnDisk) {
  ASSERT_TRUE(Bring(0, 3).ok());
  ASSERT_EQ(Committed(), 3u);
  ASSERT_TRUE(Bring(3, 5).ok());
  int looks = 0;
  syscalls_.AtFsync([&] {
    ++looks;
    EXPECT_EQ(HeldWithoutName(folder_.path()), 1);
  });
  ASSERT_EQ(Committed(), 8u);
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(HeldWithoutName(folder_.path()), 0);
}

TEST_F(UnfinishedTest, WhatComesAfterAPowerCutOutlivesTheProcess) {
  ASSERT_TRUE(Bring(0, 3).ok());
  ASSERT_EQ(Committed(), 3u);
  Restart({.boot_id = "another boot"});
  ASSERT_EQ(core_->WriteChunk("u", 3, kContent.substr(3, 5)).value(), 8u);
  Restart({.boot_id = "another boot"});
  EXPECT_EQ(Committed(), 8u);
  Restart({.boot_id = "a third one"});
  EXPECT_EQ(Committed(), 8u);
}

TEST_F(UnfinishedTest, AnotherOffsetIsRefusedWithTheRightOne) {
  ASSERT_TRUE(Bring(0, 5).ok());
  for (const uint64_t offset : {0, 4, 6, 12}) {
    const absl::Status status = core_->BeginUpload(Spec(offset)).status();
    EXPECT_REASON(status, kAborted, "WRONG_OFFSET");
    EXPECT_EQ(MetadataOf(status)["committed_size"], "5");
  }
  EXPECT_EQ(Committed(), 5u);
  EXPECT_REASON(core_->BeginUpload({.name = Name("b"), .size = 5, .offset = 1}).status(), kAborted,
                "WRONG_OFFSET");
}

TEST_F(UnfinishedTest, AnUnknownOneDoesNotBeginInTheMiddle) {
  EXPECT_REASON(core_->BeginUpload(Spec(5)).status(), kNotFound, "UPLOAD_NOT_FOUND");
  std::string next;
  EXPECT_THAT(core_->ListUploads("", 10, &next), IsEmpty());
}

TEST_F(UnfinishedTest, OneIdIsOneFile) {
  ASSERT_TRUE(Bring(0, 5).ok());
  EXPECT_REASON(core_->BeginUpload(Spec(5, "u", "b.txt")).status(), kAlreadyExists,
                "UPLOAD_EXISTS");
  UploadSpec larger = Spec(5);
  larger.size = 100;
  EXPECT_REASON(core_->BeginUpload(larger).status(), kAlreadyExists, "UPLOAD_EXISTS");
}

TEST_F(UnfinishedTest, TheNewestAttemptTakesOver) {
  auto older = core_->BeginUpload(Spec());
  ASSERT_TRUE(older.ok());
  ASSERT_TRUE((*older)->Append(kContent.substr(0, 5)).ok());
  auto newer = core_->BeginUpload(Spec(5));
  ASSERT_TRUE(newer.ok());
  EXPECT_REASON((*older)->Append(kContent.substr(5)), kAborted, "UPLOAD_TAKEN_OVER");
  EXPECT_REASON((*older)->Commit().status(), kAborted, "UPLOAD_TAKEN_OVER");
  ASSERT_TRUE((*newer)->Append(kContent.substr(5)).ok());
  ASSERT_TRUE((*newer)->Commit().ok());
  EXPECT_REASON((*older)->Append("x"), kAborted, "UPLOAD_TAKEN_OVER");
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

// ---- In pieces

TEST_F(UnfinishedTest, ChunksFollowEachOther) {
  const auto begun = core_->CreateUpload(Spec());
  ASSERT_TRUE(begun.ok());
  EXPECT_EQ(begun->committed, 0u);
  EXPECT_EQ(core_->WriteChunk("u", 0, kContent.substr(0, 5)).value(), 5u);
  EXPECT_REASON(core_->WriteChunk("u", 0, "x").status(), kAborted, "WRONG_OFFSET");
  EXPECT_REASON(core_->WriteChunk("u", 5, "much more than that").status(), kInvalidArgument,
                "SIZE_MISMATCH");
  EXPECT_REASON(core_->CompleteUpload("u", {}).status(), kInvalidArgument, "SIZE_MISMATCH");
  // The same request again, as after a lost response.
  EXPECT_EQ(core_->CreateUpload(Spec())->committed, 5u);
  EXPECT_EQ(core_->WriteChunk("u", 5, kContent.substr(5)).value(), kContent.size());
  ASSERT_TRUE(core_->CompleteUpload("u", {}).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
  EXPECT_REASON(core_->WriteChunk("u", 12, "").status(), kNotFound, "UPLOAD_NOT_FOUND");
}

TEST_F(UnfinishedTest, AChunkTakesOverFromAnAttempt) {
  auto older = core_->BeginUpload(Spec());
  ASSERT_TRUE(older.ok());
  ASSERT_TRUE(core_->WriteChunk("u", 0, "h").ok());
  EXPECT_REASON((*older)->Append("ello"), kAborted, "UPLOAD_TAKEN_OVER");
}

TEST_F(UnfinishedTest, ExpectationsAtTheEndCount) {
  ASSERT_TRUE(core_->CreateUpload(Spec()).ok());
  ASSERT_TRUE(core_->WriteChunk("u", 0, kContent).ok());
  EXPECT_REASON(core_->CompleteUpload("u", {.sha256 = std::string(kHelloSha256)}).status(),
                kDataLoss, "DIGEST_MISMATCH");
  EXPECT_REASON(core_->CompleteUpload("u", {}).status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_THAT(Visible(), IsEmpty());
  EXPECT_THAT(Hidden(), IsEmpty());
}

// Does something while a chunk is being written.
class Interjection final : public Syscalls {
 public:
  ssize_t Pwrite(int fd, const void* bytes, size_t size, off_t offset) override {
    if (during_) std::exchange(during_, nullptr)();
    return Syscalls::Pwrite(fd, bytes, size, offset);
  }
  std::function<void()> during_;
};

TEST(Chunks, TwoAtOnceAreRefusedClearly) {
  const TestFolder folder;
  Interjection syscalls;
  const auto core = OpenStore(folder.path(), syscalls);
  ASSERT_TRUE(core->CreateUpload(Spec()).ok());
  absl::Status second;
  syscalls.during_ = [&] {
    std::thread([&] { second = core->WriteChunk("u", 0, "x").status(); }).join();
  };
  EXPECT_EQ(core->WriteChunk("u", 0, kContent).value(), kContent.size());
  EXPECT_REASON(second, kAborted, "WRITE_IN_PROGRESS");
  ASSERT_TRUE(core->CompleteUpload("u", {}).ok());
  EXPECT_EQ(Get(*core, "a.txt"), kContent);
}

// ---- Complete

TEST_F(UnfinishedTest, ACompleteOneIsKnownWhileItsFileIsThere) {
  ASSERT_TRUE(BringTheRest(0).ok());
  EXPECT_EQ(core_->FindCompleted("u")->size, kContent.size());
  EXPECT_EQ(core_->FindStored(Spec(kContent.size()))->filename, "a.txt");
  // From the beginning it may be another version: that is no retry of the end.
  EXPECT_FALSE(core_->FindStored(Spec()));
  UploadSpec other = Spec(kContent.size());
  other.expected.sha256 = std::string(64, '0');
  EXPECT_FALSE(core_->FindStored(other));
  EXPECT_REASON(core_->CompleteUpload("u", other.expected).status(), kDataLoss, "DIGEST_MISMATCH");
  ASSERT_TRUE(core_->CompleteUpload("u", {}).ok());
  ASSERT_TRUE(Put(*core_, "a.txt", "of another").ok());
  EXPECT_FALSE(core_->FindCompleted("u"));
  EXPECT_FALSE(core_->FindStored(Spec(kContent.size())));
  // And so its id may begin again.
  ASSERT_TRUE(BringTheRest(0).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

TEST_F(UnfinishedTest, ARefusedNameLeavesItComplete) {
  ASSERT_TRUE(Bring(0, kContent.size()).ok());
  std::filesystem::create_directory(folder_ / "a.txt");
  EXPECT_REASON(core_->CompleteUpload("u", {}).status(), kFailedPrecondition, "NOT_A_FILE");
  EXPECT_EQ(Committed(), kContent.size());
  std::filesystem::remove(folder_ / "a.txt");
  ASSERT_TRUE(core_->CompleteUpload("u", {}).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

TEST_F(UnfinishedTest, ReplacesAnOlderFile) {
  ASSERT_TRUE(Put(*core_, "a.txt", "older").ok());
  ASSERT_TRUE(Bring(0, 5).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), "older");
  ASSERT_TRUE(BringTheRest(5).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
  EXPECT_THAT(Visible(), UnorderedElementsAre("a.txt"));
}

}  // namespace
}  // namespace rawgate::file
