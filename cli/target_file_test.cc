#include "cli/target_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

// A folder of its own, gone with it, in which an earlier run has kept three bytes.
class KeptPart : public testing::Test {
 protected:
  KeptPart() : folder_(absl::StrCat(testing::TempDir(), "/target-file-", ::getpid())) {
    std::filesystem::create_directories(folder_);
    absl::StatusOr<TargetFile> first = Open();
    EXPECT_TRUE(first.ok() && first->Write("abc").ok()) << first.status();
    if (first.ok()) part_ = first->temporary();
  }
  ~KeptPart() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<TargetFile> Open() const {
    return TargetFile::CreateOrResume(folder_ + "/goal", "far/name", "version 1");
  }

  void ExpectRefused() const {
    const absl::Status status = Open().status();
    EXPECT_EQ(ReasonOf(status), "PART_FILE_NOT_OURS") << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(part_));
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/goal"));
  }

  const std::string folder_;
  std::string part_;
};

TEST_F(KeptPart, IsGoneOnWith) {
  absl::StatusOr<TargetFile> target = Open();
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(target->size(), 3u);
  ASSERT_TRUE(target->Write("def").ok());
  ASSERT_TRUE(target->Commit().ok());
  std::ifstream file(folder_ + "/goal");
  std::string content;
  EXPECT_TRUE(std::getline(file, content) || file.eof());
  EXPECT_EQ(content, "abcdef");
}

TEST_F(KeptPart, OneWithASecondNameIsNot) {
  std::filesystem::create_hard_link(part_, folder_ + "/second");
  ExpectRefused();
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/second"), 3u);
}

TEST_F(KeptPart, OneOfAnotherUserIsNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  ASSERT_EQ(::chown(part_.c_str(), 65534, 65534), 0);
  ExpectRefused();
}

TEST_F(KeptPart, APipeIsNot) {
  std::filesystem::remove(part_);
  ASSERT_EQ(::mkfifo(part_.c_str(), 0600), 0);
  ExpectRefused();
}

TEST_F(KeptPart, ALinkIsNotFollowed) {
  std::filesystem::rename(part_, folder_ + "/elsewhere");
  std::filesystem::create_symlink(folder_ + "/elsewhere", part_);
  EXPECT_EQ(ReasonOf(Open().status()), "ELOOP");
  EXPECT_EQ(std::filesystem::file_size(folder_ + "/elsewhere"), 3u);
}

}  // namespace
}  // namespace rawgate::cli
