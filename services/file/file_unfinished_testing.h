// For tests of resumable uploads: one upload of a few bytes, brought in pieces.
#pragma once

#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "services/file/file_store_testing.h"
#include "services/file/file_unfinished.h"

namespace rawgate::file {

inline constexpr absl::string_view kContent = "hello, world";
// sha256sum of "hello".
inline constexpr absl::string_view kHelloSha256 =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

inline UploadSpec Spec(uint64_t offset = 0, absl::string_view id = "u",
                       absl::string_view name = "a.txt") {
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

}  // namespace rawgate::file
