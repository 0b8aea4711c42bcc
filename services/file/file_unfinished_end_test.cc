// How resumable uploads end without being complete, what others do to their folder, and faults.
#include <errno.h>

#include <chrono>
#include <map>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_unfinished_testing.h"

namespace rawgate::file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

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

TEST_F(UnfinishedTest, GivenUpItsRecordIsGoneForGoodBeforeItsBytes) {
  ASSERT_TRUE(Bring(0, 5).ok());
  int looks = 0;
  syscalls_.AtFsync([&] {
    ++looks;
    EXPECT_THAT(Hidden(), UnorderedElementsAre("u"));
  });
  ASSERT_TRUE(core_->AbortUpload("u").ok());
  EXPECT_EQ(looks, 1);
  EXPECT_THAT(Hidden(), IsEmpty());
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

TEST_F(UnfinishedTest, OneThatWasStoredIsSoOnDiskBeforeItsRecordGoes) {
  ASSERT_TRUE(Bring(0, kContent.size()).ok());
  core_.reset();
  // As a process leaves it that ends before it has awaited the folder.
  std::filesystem::create_hard_link(folder_ / ".rawgate-uploads" / "u", folder_ / "a.txt");
  syscalls_.FailAlways("fsync", EIO);
  Restart();
  EXPECT_THAT(Hidden(), UnorderedElementsAre("u", "u.json"));
  syscalls_.FailAlways("fsync", 0);
  Restart();
  EXPECT_THAT(Hidden(), IsEmpty());
}

TEST_F(UnfinishedTest, AnotherProcessLeavesAloneWhatMayHaveToComeBack) {
  ASSERT_TRUE(Put(*core_, "a.txt", "older").ok());
  ASSERT_TRUE(Bring(0, 5).ok());
  syscalls_.FailAlways("fsync", EIO);
  int looks = 0;
  syscalls_.AtFsync([&] {
    ++looks;
    const auto other = OpenStore(folder_.path());
    other->RemoveLeftovers();
    EXPECT_REASON(other->BeginUpload(Spec()).status(), kAborted, "UPLOAD_TAKEN_OVER");
  });
  EXPECT_REASON(BringTheRest(5).status(), kDataLoss, "SYNC_FAILED");
  EXPECT_GT(looks, 0);
  EXPECT_EQ(Get(*core_, "a.txt"), "older");
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

TEST_F(UnfinishedTest, TheEndAtAnyCallLosesNothingThatWasTold) {
  // What the file system has not.
  const std::map<std::string, int> worlds[] = {
      {}, {{"linkat", EPERM}}, {{"renameat2(flags)", EINVAL}}};
  int boots = 0;
  for (const auto& world : worlds) {
    for (const auto& [call, error] : world) syscalls_.FailAlways(call, error);
    Restart();
    for (const bool older : {false, true}) {
      for (int number = 0;; ++number) {
        SCOPED_TRACE(testing::Message() << number << ", older " << older);
        std::filesystem::remove(folder_ / "a.txt");
        if (older) {
          ASSERT_TRUE(Put(*core_, "a.txt", "the older file").ok());
        }
        ASSERT_TRUE(Bring(0, 5).ok());
        ASSERT_EQ(Committed(), 5u);
        syscalls_.FailCall(number, EIO, true);
        BringTheRest(5).status().IgnoreError();
        core_.reset();
        const std::string hit = syscalls_.hit();
        syscalls_.Heal();
        // A power cut, of a disk that has everything up to then.
        Restart({.boot_id = absl::StrCat(++boots)});
        core_->RemoveLeftovers();
        if (ReadWhole(folder_ / "a.txt") != kContent) {
          EXPECT_EQ(ReadWhole(folder_ / "a.txt"), older ? "the older file" : "(no such file)");
          ASSERT_GE(Committed(), 5u) << hit;
          ASSERT_TRUE(BringTheRest(Committed()).ok()) << hit;
        }
        EXPECT_EQ(Get(*core_, "a.txt"), kContent);
        EXPECT_THAT(Visible(), UnorderedElementsAre("a.txt"));
        EXPECT_THAT(Hidden(), IsEmpty()) << hit;
        if (hit.empty() || HasFailure()) break;
      }
    }
    for (const auto& [call, error] : world) syscalls_.FailAlways(call, 0);
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
