// Resumable uploads of several processes on one root: two stores, each with locks of its own.
#include <errno.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/file/file_unfinished_testing.h"

namespace rawgate::file {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class ProcessesTest : public UnfinishedTest {
 protected:
  // Another process, of the same machine unless the options say otherwise.
  void OpenOther(FileCore::Options options = {}) {
    other_ = OpenStore(folder_.path(), Syscalls::Kernel(), std::move(options));
  }
  static uint64_t CommittedAt(FileCore& core) {
    const auto progress = core.GetUpload("u");
    EXPECT_TRUE(progress.ok()) << progress.status();
    return progress.ok() ? progress->state.committed : 0;
  }
  static std::vector<std::string> IdsAt(FileCore& core) {
    std::string next;
    std::vector<std::string> ids;
    for (const UploadState& state : core.ListUploads("", 10, &next)) ids.push_back(state.upload_id);
    return ids;
  }

  std::unique_ptr<FileCore> other_ = OpenStore(folder_.path());
};

TEST_F(ProcessesTest, AnotherGoesOn) {
  ASSERT_TRUE(Bring(0, 5).ok());
  const auto progress = other_->GetUpload("u");
  ASSERT_TRUE(progress.ok()) << progress.status();
  EXPECT_EQ(progress->state.committed, 5u);
  EXPECT_EQ(progress->prefix_sha256, kHelloSha256);
  EXPECT_THAT(IdsAt(*other_), UnorderedElementsAre("u"));
  auto attempt = other_->BeginUpload(Spec(5));
  ASSERT_TRUE(attempt.ok()) << attempt.status();
  ASSERT_TRUE((*attempt)->Append(kContent.substr(5)).ok());
  ASSERT_TRUE((*attempt)->Commit().ok());
  attempt->reset();
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
  EXPECT_THAT(Hidden(), IsEmpty());
  EXPECT_REASON(core_->WriteChunk("u", 12, "").status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_THAT(IdsAt(*core_), IsEmpty());
}

TEST_F(ProcessesTest, ChunksAlternate) {
  UploadSpec spec = Spec();
  spec.wanted.md5 = true;
  ASSERT_TRUE(core_->CreateUpload(spec).ok());
  ASSERT_TRUE(other_->CreateUpload(spec).ok());
  for (uint64_t at = 0; at < kContent.size(); ++at) {
    FileCore& core = at % 2 == 0 ? *core_ : *other_;
    ASSERT_EQ(core.WriteChunk("u", at, kContent.substr(at, 1)).value_or(0), at + 1);
    if (at == 6) {
      EXPECT_EQ(CommittedAt(*other_), 7u);
    }
  }
  EXPECT_REASON(core_->WriteChunk("u", 0, "x").status(), kAborted, "WRONG_OFFSET");
  // The digests of all that came, whoever took it: each has looked at some of it before.
  // printf 'hello, world' | sha256sum, md5sum
  const auto stored = core_->CompleteUpload(
      "u", {.md5 = "e4d7f1b4ed2e42d15898f4b27b019da4",
            .sha256 = "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"});
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(Get(*other_, "a.txt"), kContent);
}

TEST_F(ProcessesTest, OneThatIsInHandStaysThere) {
  auto attempt = core_->BeginUpload(Spec());
  ASSERT_TRUE(attempt.ok());
  ASSERT_TRUE((*attempt)->Append(kContent.substr(0, 5)).ok());
  EXPECT_REASON(other_->BeginUpload(Spec(5)).status(), kAborted, "UPLOAD_TAKEN_OVER");
  EXPECT_REASON(other_->WriteChunk("u", 5, "x").status(), kAborted, "UPLOAD_TAKEN_OVER");
  EXPECT_REASON(other_->AbortUpload("u"), kAborted, "UPLOAD_TAKEN_OVER");
  EXPECT_EQ(other_->RemoveExpired(absl::Now() + absl::Hours(1000)), 0u);
  EXPECT_THAT(IdsAt(*other_), UnorderedElementsAre("u"));
  ASSERT_TRUE((*attempt)->Append(kContent.substr(5)).ok());
  EXPECT_REASON(other_->CompleteUpload("u", {}).status(), kAborted, "UPLOAD_COMPLETING");
  ASSERT_TRUE((*attempt)->Commit().ok());
  EXPECT_EQ(Get(*other_, "a.txt"), kContent);
}

TEST_F(ProcessesTest, WaitsForACallThatEndsSoon) {
  auto attempt = core_->BeginUpload(Spec());
  ASSERT_TRUE(attempt.ok());
  ASSERT_TRUE((*attempt)->Append(kContent.substr(0, 5)).ok());
  absl::StatusOr<uint64_t> written;
  std::thread waiting([&] { written = other_->WriteChunk("u", 5, kContent.substr(5)); });
  attempt->reset();
  waiting.join();
  EXPECT_EQ(written.value_or(0), kContent.size());
}

TEST_F(ProcessesTest, OfManyWritersAtOnceOneWinsEachTime) {
  ASSERT_TRUE(core_->CreateUpload(Spec()).ok());
  for (uint64_t at = 0; at < kContent.size(); ++at) {
    std::atomic<int> wins{0};
    std::vector<std::thread> writers;
    for (FileCore* core : {core_.get(), other_.get(), core_.get(), other_.get()}) {
      writers.emplace_back([&, core] {
        const auto written = core->WriteChunk("u", at, kContent.substr(at, 1));
        if (written.ok()) ++wins;
        EXPECT_TRUE(written.ok() || absl::IsAborted(written.status())) << written.status();
      });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(wins, 1) << at;
  }
  ASSERT_TRUE(other_->CompleteUpload("u", {}).ok());
  EXPECT_EQ(Get(*core_, "a.txt"), kContent);
}

TEST_F(ProcessesTest, OfManyWhoBeginAtOnceAllHaveTheSame) {
  for (int round = 0; round < 50; ++round) {
    const std::string id = absl::StrCat("u", round);
    std::vector<std::thread> callers;
    for (FileCore* core : {core_.get(), other_.get(), core_.get(), other_.get()}) {
      callers.emplace_back([&, core] {
        const auto begun = core->CreateUpload(Spec(0, id));
        EXPECT_TRUE(begun.ok()) << begun.status();
        core->RemoveExpired(absl::Now());
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(core_->WriteChunk(id, 0, "hello").value_or(0), 5u) << id;
    EXPECT_EQ(other_->WriteChunk(id, 5, ",").value_or(0), 6u) << id;
    EXPECT_TRUE((round % 2 == 0 ? core_ : other_)->AbortUpload(id).ok());
  }
  EXPECT_THAT(Hidden(), IsEmpty());
}

TEST_F(ProcessesTest, TheIdOfOneThatAnotherEndedIsFree) {
  Restart({.uploads_max = 1, .quota_bytes = 20});
  ASSERT_TRUE(Bring(0, 5).ok());
  ASSERT_TRUE(other_->AbortUpload("u").ok());
  // Neither its place nor its bytes are held by who has not been told.
  ASSERT_TRUE(core_->CreateUpload(Spec(0, "v")).ok());
  ASSERT_TRUE(other_->AbortUpload("v").ok());
  // Begun anew elsewhere it is another.
  UploadSpec spec = Spec(0, "u", "b.txt");
  ASSERT_TRUE(other_->CreateUpload(spec).ok());
  EXPECT_REASON(core_->BeginUpload(Spec()).status(), kAlreadyExists, "UPLOAD_EXISTS");
  EXPECT_EQ(core_->WriteChunk("u", 0, kContent).value_or(0), kContent.size());
  ASSERT_TRUE(core_->CompleteUpload("u", {}).ok());
  EXPECT_EQ(Get(*other_, "b.txt"), kContent);
}

TEST_F(ProcessesTest, ExpiresByItsLastByteWhoeverTookIt) {
  ASSERT_TRUE(Bring(0, 5).ok());
  ASSERT_TRUE(other_->WriteChunk("u", 5, "x").ok());
  EXPECT_EQ(core_->RemoveExpired(absl::Now() + absl::Hours(23)), 0u);
  EXPECT_EQ(core_->RemoveExpired(absl::Now() + absl::Hours(25)), 1u);
  EXPECT_REASON(other_->GetUpload("u").status(), kNotFound, "UPLOAD_NOT_FOUND");
  EXPECT_THAT(Hidden(), IsEmpty());
}

TEST_F(ProcessesTest, AFailedSyncIsFinalForAll) {
  ASSERT_TRUE(Bring(0, 5).ok());
  ASSERT_EQ(CommittedAt(*other_), 5u);
  ASSERT_TRUE(Bring(5, 1).ok());
  syscalls_.FailAlways("fdatasync", EIO);
  EXPECT_REASON(core_->GetUpload("u").status(), kDataLoss, "SYNC_FAILED");
  EXPECT_REASON(other_->GetUpload("u").status(), kNotFound, "UPLOAD_NOT_FOUND");
}

// ---- Several machines, each with a page cache of its own

TEST_F(ProcessesTest, AnotherMachineLosesNothingThatWasAcknowledged) {
  Restart({.boot_id = "one", .shared_by_machines = true});
  OpenOther({.boot_id = "two", .shared_by_machines = true});
  UploadSpec spec = Spec();
  spec.wanted.sha256 = true;
  ASSERT_TRUE(core_->CreateUpload(spec).ok());
  for (uint64_t at = 0; at < kContent.size(); ++at) {
    FileCore& core = at % 3 == 0 ? *core_ : *other_;
    ASSERT_EQ(core.WriteChunk("u", at, kContent.substr(at, 1)).value_or(0), at + 1);
  }
  ASSERT_TRUE(core_->CompleteUpload("u", {}).ok());
  EXPECT_EQ(Get(*other_, "a.txt"), kContent);
}

TEST_F(ProcessesTest, OneMachineDoesNotWaitForItsDiskAtEachCall) {
  Restart({.shared_by_machines = false});
  ASSERT_TRUE(core_->CreateUpload(Spec()).ok());
  ASSERT_TRUE(core_->WriteChunk("u", 0, "h").ok());
  EXPECT_EQ(syscalls_.count("fdatasync"), 0);
  Restart({.shared_by_machines = true});
  ASSERT_TRUE(core_->WriteChunk("u", 1, "e").ok());
  EXPECT_GT(syscalls_.count("fdatasync"), 0);
}

}  // namespace
}  // namespace rawgate::file
