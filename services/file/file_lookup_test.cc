// Digests that are remembered, computed, and used to find what is stored already.
#include "services/file/file_lookup.h"

#include <fstream>

#include <gtest/gtest.h>

#include "services/file/file_digest_memory.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

constexpr absl::string_view kHelloSha256 =
    "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
constexpr absl::string_view kHelloMd5 = "5d41402abc4b2a76b9719d911017c592";

using LookUpTest = StoreTest;

TEST_F(LookUpTest, RemembersWhatAnUploadComputed) {
  ASSERT_TRUE(Put(*core_, "a", "hello", {.wanted = {.md5 = true, .sha256 = true}}).ok());
  const auto info = core_->Stat(Name("a"));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->digests.sha256, kHelloSha256);
  EXPECT_EQ(info->digests.md5, kHelloMd5);
  EXPECT_EQ(core_->OpenDownload(Name("a"))->info().digests.sha256, kHelloSha256);
  EXPECT_EQ(core_->List(Name(""), "", 10)->entries.at(0).digests.sha256, kHelloSha256);
}

TEST_F(LookUpTest, ForgetsWhenTheFileIsAnother) {
  ASSERT_TRUE(Put(*core_, "a", "hello", {.wanted = {.sha256 = true}}).ok());
  ASSERT_TRUE(Put(*core_, "a", "world").ok());
  EXPECT_EQ(core_->Stat(Name("a"))->digests.sha256, "");
}

TEST_F(LookUpTest, ForgetsWhenTheFileIsWrittenTo) {
  ASSERT_TRUE(Put(*core_, "a", "hello", {.wanted = {.sha256 = true}}).ok());
  std::ofstream(folder_ / "a", std::ios::in | std::ios::out) << "jello, longer";
  EXPECT_EQ(core_->Stat(Name("a"))->digests.sha256, "");
}

TEST_F(LookUpTest, ReadsForADigestWhenAsked) {
  WriteWhole(folder_ / "a", "hello");
  EXPECT_EQ(core_->Stat(Name("a"))->digests.sha256, "");
  EXPECT_EQ(core_->Stat(Name("a"), true)->digests.sha256, kHelloSha256);
  std::filesystem::create_directory(folder_ / "d");
  EXPECT_EQ(core_->Stat(Name("d"), true)->digests.sha256, "");
  EXPECT_REASON(core_->Stat(Name("no"), true).status(), kNotFound, "FILE_NOT_FOUND");
}

TEST_F(LookUpTest, FindsWhatIsStored) {
  WriteWhole(folder_ / "a", "hello");
  UploadSpec spec{.name = Name("a"), .size = 5, .expected = {.sha256 = std::string(kHelloSha256)}};
  const int before = syscalls_.count("fsync");
  EXPECT_EQ(core_->FindStored(spec)->digests.sha256, kHelloSha256);
  // Whoever put it there, it is on disk now.
  EXPECT_GE(syscalls_.count("fsync") - before, 2);

  syscalls_.FailAlways("fsync", EIO);
  EXPECT_FALSE(core_->FindStored(spec));
  syscalls_.FailAlways("fsync", 0);
  spec.size = 6;
  EXPECT_FALSE(core_->FindStored(spec));
  spec.size = 5;
  spec.name = Name("b");
  EXPECT_FALSE(core_->FindStored(spec));
  spec.name = Name("a");
  spec.if_absent = true;
  EXPECT_FALSE(core_->FindStored(spec));
  spec.if_absent = false;
  spec.expected.sha256 = std::string(64, '0');
  EXPECT_FALSE(core_->FindStored(spec));
  spec.expected.sha256.clear();
  EXPECT_FALSE(core_->FindStored(spec));
}

TEST(DigestMemory, IsBoundToAllThatTellsFilesApart) {
  DigestMemory memory;
  struct stat status {};
  status.st_ino = 1;
  memory.Remember(status, {.md5 = "m", .sha256 = "s"});
  EXPECT_EQ(memory.Find(status).sha256, "s");
  const auto changed = [&](auto change) {
    struct stat other = status;
    change(other);
    return memory.Find(other).empty();
  };
  EXPECT_TRUE(changed([](struct stat& s) { s.st_dev = 1; }));
  EXPECT_TRUE(changed([](struct stat& s) { s.st_ino = 2; }));
  EXPECT_TRUE(changed([](struct stat& s) { s.st_size = 1; }));
  EXPECT_TRUE(changed([](struct stat& s) { s.st_mtim.tv_nsec = 1; }));
  EXPECT_TRUE(changed([](struct stat& s) { s.st_ctim.tv_nsec = 1; }));
}

TEST(DigestMemory, AddsToWhatItKnows) {
  DigestMemory memory;
  const struct stat status {};
  memory.Remember(status, {.md5 = "m"});
  memory.Remember(status, {.sha256 = "s"});
  EXPECT_EQ(memory.Find(status).md5, "m");
  EXPECT_EQ(memory.Find(status).sha256, "s");
}

TEST(DigestMemory, ChangesOfThisVeryMomentMayNotShow) {
  struct stat status {};
  status.st_ctim = absl::ToTimespec(absl::FromUnixSeconds(1000));
  EXPECT_FALSE(DigestMemory::IsSettled(status, absl::FromUnixSeconds(1000)));
  EXPECT_TRUE(DigestMemory::IsSettled(status, absl::FromUnixSeconds(1001)));
}

}  // namespace
}  // namespace rawgate::file
