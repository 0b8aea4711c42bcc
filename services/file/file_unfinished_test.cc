// Resumable uploads: attempts that follow each other, restarts, power cuts, expiry.
#include "services/file/file_unfinished.h"

#include <functional>
#include <thread>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr absl::string_view kContent = "hello, world";
// sha256sum of "hello".
constexpr absl::string_view kHelloSha256 =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

UploadSpec Spec(uint64_t offset = 0, absl::string_view id = "u", absl::string_view name = "a.txt") {
  return {
      .name = Name(name), .size = kContent.size(), .upload_id = std::string(id), .offset = offset};
}

class UnfinishedTest : public StoreTest {
 protected:
  // An attempt that brings `count` bytes from `offset` on, and ends.
  absl::Status Bring(uint64_t offset, size_t count) {
    auto upload = core_->BeginUpload(Spec(offset));
    if (!upload.ok()) return upload.status();
    return (*upload)->Append(kContent.substr(offset, count));
  }
  absl::StatusOr<FileInfo> BringTheRest(uint64_t offset) {
    auto upload = core_->BeginUpload(Spec(offset));
    if (!upload.ok()) return upload.status();
    if (absl::Status status = (*upload)->Append(kContent.substr(offset)); !status.ok()) {
      return status;
    }
    return (*upload)->Commit();
  }
  uint64_t Committed() {
    const auto progress = core_->GetUpload("u");
    EXPECT_TRUE(progress.ok()) << progress.status();
    return progress.ok() ? progress->state.committed : 0;
  }
  // The same store in another process; after another boot of the machine, if `boot_id` says so.
  void Restart(FileCore::Options options = {}) {
    core_.reset();
    core_ = OpenStore(folder_.path(), syscalls_, std::move(options));
  }
  // Whether it opens does not matter.
  void OpenStoreOrNot() {
    FileCore::Open({.root = folder_.path()}, syscalls_).status().IgnoreError();
  }
  std::set<std::string> Visible() {
    std::set<std::string> names;
    for (const std::string& name : AllEntries(folder_.path())) {
      if (!absl::StartsWith(name, ".rawgate-uploads")) names.insert(name);
    }
    return names;
  }
  std::set<std::string> Hidden() { return AllEntries(folder_ / ".rawgate-uploads"); }
};

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

// ---- Giving up

TEST_F(UnfinishedTest, GivenUpItLeavesNothing) {
  auto attempt = core_->BeginUpload(Spec());
  ASSERT_TRUE(attempt.ok());
  ASSERT_TRUE(core_->AbortUpload("u").ok());
  EXPECT_REASON((*attempt)->Append("x"), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_REASON(core_->AbortUpload("u"), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_THAT(Hidden(), IsEmpty());
  // Its id is free again, whoever still holds the old one.
  ASSERT_TRUE(BringTheRest(0).ok());
}

TEST_F(UnfinishedTest, ExpiresWhenNothingComes) {
  Restart({.upload_expiry = absl::Hours(1)});
  ASSERT_TRUE(Bring(0, 5).ok());
  EXPECT_EQ(core_->RemoveExpired(absl::Now() + absl::Minutes(59)), 0u);
  EXPECT_EQ(core_->RemoveExpired(absl::Now() + absl::Minutes(61)), 1u);
  EXPECT_REASON(core_->GetUpload("u").status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_THAT(Hidden(), IsEmpty());
}

TEST_F(UnfinishedTest, TheTimeOfTheLastByteOutlivesTheProcess) {
  ASSERT_TRUE(Bring(0, 5).ok());
  const absl::Time then = absl::Now() - absl::Hours(23);
  std::filesystem::last_write_time(
      folder_ / ".rawgate-uploads" / "u",
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(23));
  Restart();
  Restart();
  std::string next;
  const auto uploads = core_->ListUploads("", 10, &next);
  ASSERT_EQ(uploads.size(), 1u);
  EXPECT_LT(absl::AbsDuration(uploads[0].expires - (then + absl::Hours(24))), absl::Minutes(1));
}

TEST_F(UnfinishedTest, ListsThemInPages) {
  for (const char* id : {"c", "a", "b"}) {
    ASSERT_TRUE(core_->CreateUpload(Spec(0, id)).ok());
  }
  const auto ids = [&](absl::string_view after, std::string* next) {
    std::vector<std::string> result;
    for (const UploadState& state : core_->ListUploads(after, 2, next)) {
      result.push_back(state.upload_id);
    }
    return result;
  };
  std::string next;
  EXPECT_THAT(ids("", &next), ElementsAre("a", "b"));
  EXPECT_EQ(next, "b");
  next.clear();
  EXPECT_THAT(ids("b", &next), ElementsAre("c"));
  EXPECT_EQ(next, "");
}

// ---- What another hand did to the folder

TEST_F(UnfinishedTest, WhatIsOfNoUseIsRemovedAtTheStart) {
  ASSERT_TRUE(Bring(0, 5).ok());
  core_.reset();
  WriteWhole(folder_ / ".rawgate-uploads" / "orphan", "bytes without a record");
  WriteWhole(folder_ / ".rawgate-uploads" / "record.json", "{}");
  WriteWhole(folder_ / ".rawgate-uploads" / "torn", "bytes");
  WriteWhole(folder_ / ".rawgate-uploads" / "torn.json", R"({"upload_id":"torn","file)");
  Restart();
  EXPECT_THAT(Hidden(), UnorderedElementsAre("u", "u.json"));
}

TEST_F(UnfinishedTest, OneThatWasStoredInTheLastMomentIsNotGoneOnWith) {
  ASSERT_TRUE(Bring(0, kContent.size()).ok());
  core_.reset();
  // As a process leaves it that ends between the two.
  std::filesystem::create_hard_link(folder_ / ".rawgate-uploads" / "u", folder_ / "a.txt");
  Restart();
  EXPECT_THAT(Hidden(), IsEmpty());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

TEST_F(UnfinishedTest, AnotherProcessKeepsItsOwn) {
  ASSERT_TRUE(Bring(0, 5).ok());
  const auto other = OpenStore(folder_.path());
  std::string next;
  EXPECT_THAT(other->ListUploads("", 10, &next), IsEmpty());
  EXPECT_REASON(other->BeginUpload(Spec()).status(), kAborted, "UPLOAD_TAKEN_OVER");
  ASSERT_TRUE(BringTheRest(5).ok());
}

// ---- Limits

TEST_F(UnfinishedTest, ManyOfThemLeaveRoomForPlainUploads) {
  Restart({.uploads_max = 1});
  ASSERT_TRUE(Bring(0, 5).ok());
  EXPECT_REASON(core_->BeginUpload(Spec(0, "another")).status(), kResourceExhausted,
                "TOO_MANY_UPLOADS");
  ASSERT_TRUE(Put(*core_, "b", "1").ok());
  ASSERT_TRUE(BringTheRest(5).ok());
}

TEST_F(UnfinishedTest, ANameAloneDoesNotKeepItsPlaceForLong) {
  ASSERT_TRUE(core_->CreateUpload(Spec()).ok());
  EXPECT_EQ(core_->RemoveExpired(absl::Now() + absl::Minutes(9)), 0u);
  EXPECT_EQ(core_->RemoveExpired(absl::Now() + absl::Minutes(11)), 1u);
}

TEST_F(UnfinishedTest, ALaterAttemptMayWantNothingReplaced) {
  ASSERT_TRUE(Put(*core_, "a.txt", "older").ok());
  ASSERT_TRUE(Bring(0, 5).ok());
  UploadSpec spec = Spec(5);
  spec.if_absent = true;
  EXPECT_REASON(core_->BeginUpload(spec).status(), kAlreadyExists, "FILE_EXISTS");
  std::filesystem::remove(folder_ / "a.txt");
  auto upload = core_->BeginUpload(spec);
  ASSERT_TRUE(upload.ok());
  ASSERT_TRUE((*upload)->Append(kContent.substr(5)).ok());
  ASSERT_TRUE(Put(*core_, "a.txt", "older").ok());
  EXPECT_REASON((*upload)->Commit().status(), kAlreadyExists, "FILE_EXISTS");
  EXPECT_EQ(Get(*core_, "a.txt"), "older");
}

TEST_F(UnfinishedTest, OfAProcessThatEndsLaterItIsTakenOverThen) {
  auto earlier = OpenStore(folder_.path());
  {
    auto upload = earlier->BeginUpload(Spec());
    ASSERT_TRUE(upload.ok());
    ASSERT_TRUE((*upload)->Append(kContent.substr(0, 5)).ok());
  }
  Restart();
  EXPECT_REASON(core_->GetUpload("u").status(), kNotFound, "UPLOAD_NOT_FOUND");
  earlier.reset();
  EXPECT_EQ(Committed(), 5u);
  ASSERT_TRUE(BringTheRest(5).ok());
}

TEST_F(UnfinishedTest, WhatCannotBeReadAtTheMomentStays) {
  ASSERT_TRUE(Bring(0, 5).ok());
  core_.reset();
  // As for want of descriptors.
  syscalls_.FailAlways("openat", EMFILE);
  EXPECT_FALSE(FileCore::Open({.root = folder_.path()}, syscalls_).ok());
  syscalls_.FailAlways("openat", 0);
  for (int number = 0;; ++number) {
    syscalls_.FailCall(number, EMFILE);
    OpenStoreOrNot();
    if (syscalls_.hit().empty()) break;
    EXPECT_THAT(Hidden(), UnorderedElementsAre("u", "u.json")) << syscalls_.hit();
  }
  syscalls_.Heal();
  Restart();
  EXPECT_EQ(Committed(), 5u);
}

TEST_F(UnfinishedTest, ItsFolderMayBeRemovedByOthers) {
  ASSERT_TRUE(Bring(0, 5).ok());
  ASSERT_TRUE(core_->AbortUpload("u").ok());
  std::filesystem::remove_all(folder_ / ".rawgate-uploads");
  ASSERT_TRUE(Bring(0, 5).ok());
  ASSERT_TRUE(BringTheRest(5).ok());
}

// ---- Faults: whatever fails, what was told stays true, and another attempt succeeds.

TEST_F(UnfinishedTest, AFaultAtAnyCallLosesNothingThatWasTold) {
  for (int number = 0;; ++number) {
    SCOPED_TRACE(number);
    ASSERT_TRUE(Put(*core_, "a.txt", "the older file").ok());
    ASSERT_TRUE(Bring(0, 5).ok());
    ASSERT_EQ(Committed(), 5u);
    syscalls_.FailCall(number, EIO);
    const absl::Status outcome = BringTheRest(5).status();
    const std::string hit = syscalls_.hit();
    syscalls_.Heal();
    EXPECT_EQ(Get(*core_, "a.txt"), outcome.ok() ? kContent : "the older file") << hit;
    if (hit.empty()) break;
    if (outcome.ok()) continue;
    Restart();
    if (absl::IsDataLoss(outcome)) {
      EXPECT_REASON(core_->GetUpload("u").status(), kNotFound, "UPLOAD_NOT_FOUND");
      ASSERT_TRUE(BringTheRest(0).ok()) << hit;
    } else {
      const uint64_t committed = Committed();
      EXPECT_GE(committed, 5u) << hit;
      ASSERT_TRUE(BringTheRest(committed).ok()) << hit;
    }
    EXPECT_EQ(Get(*core_, "a.txt"), kContent);
    EXPECT_THAT(Hidden(), IsEmpty()) << hit;
    if (HasFailure()) return;
  }
}

TEST_F(UnfinishedTest, AFailedSyncIsFinal) {
  ASSERT_TRUE(Bring(0, 5).ok());
  syscalls_.FailAlways("fdatasync", EIO);
  EXPECT_REASON(core_->GetUpload("u").status(), kDataLoss, "SYNC_FAILED");
  syscalls_.FailAlways("fdatasync", 0);
  EXPECT_REASON(core_->BeginUpload(Spec(5)).status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_THAT(Hidden(), IsEmpty());
}

}  // namespace
}  // namespace rawgate::file
