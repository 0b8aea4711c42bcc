// Nothing outside the root, whatever names say and whoever moves things under the store's feet.
#include "services/file/file_root.h"

#include <stdio.h>
#include <unistd.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/file/file_store_testing.h"

namespace rawgate::file {
namespace {

using ::testing::UnorderedElementsAre;

// With openat2, and with the walk that stands in for it.
class Containment : public ::testing::TestWithParam<int> {
 protected:
  Containment() {
    if (GetParam() != 0) syscalls_.FailAlways("openat2", GetParam());
    std::filesystem::create_directories(base_ / "root");
    WriteWhole(base_ / "outside/secret", "secret");
    core_ = OpenStore(base_ / "root", syscalls_);
  }

  TestFolder base_;
  FaultySyscalls syscalls_;
  std::unique_ptr<FileCore> core_;
};

TEST_P(Containment, WorksBelowTheRoot) {
  ASSERT_TRUE(Put(*core_, "a/b/c", "1").ok());
  EXPECT_EQ(Get(*core_, "a/b/c"), "1");
  EXPECT_EQ(core_->List(Name("a/b"), "", 10)->entries.size(), 1u);
  EXPECT_EQ(core_->List(Name(""), "", 10)->entries.size(), 1u);
  EXPECT_EQ(core_->Stat(Name("a"))->type, EntryType::kFolder);
  EXPECT_TRUE(core_->Delete(Name("a/b/c")).ok());
}

TEST_P(Containment, LinksThatLeadOutAreNotFollowed) {
  std::filesystem::create_symlink("../outside", base_ / "root/relative");
  std::filesystem::create_symlink(base_ / "outside", base_ / "root/absolute");
  std::filesystem::create_symlink("../outside/secret", base_ / "root/file");
  std::filesystem::create_symlink("/proc/self/cwd", base_ / "root/magic");
  for (const char* name : {"relative/secret", "absolute/secret", "file", "magic/x"}) {
    EXPECT_EQ(ReasonOf(core_->OpenDownload(Name(name)).status()), "FILE_NOT_FOUND");
    EXPECT_EQ(ReasonOf(core_->Stat(Name(name)).status()), "FILE_NOT_FOUND");
    EXPECT_EQ(ReasonOf(core_->Delete(Name(name))), "FILE_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Put(*core_, name, "1").status()), "NOT_A_FILE");
  }
  for (const char* name : {"relative", "absolute", "file", "magic"}) {
    EXPECT_EQ(ReasonOf(core_->List(Name(name), "", 10).status()), "FILE_NOT_FOUND");
  }
  EXPECT_THAT(AllEntries(base_ / "outside"), UnorderedElementsAre("secret"));
  EXPECT_EQ(ReadWhole(base_ / "outside/secret"), "secret");
}

TEST_P(Containment, ASwapperOfLinksGetsNothing) {
  std::filesystem::create_directories(base_ / "root/d");
  WriteWhole(base_ / "root/d/secret", "inside");
  std::filesystem::create_symlink("../outside", base_ / "root/link");
  std::atomic<bool> done{false};
  std::thread swapper([&] {
    while (!done) {
      // The folder and the link change places, in one step each time.
      ::renameat2(AT_FDCWD, (base_ / "root/d").c_str(), AT_FDCWD, (base_ / "root/link").c_str(),
                  RENAME_EXCHANGE);
    }
  });
  int inside = 0;
  // Longer where the swapper has not had its turn by then.
  for (int i = 0; i < 2000 || (inside == 0 && i < 10'000'000); ++i) {
    const std::string content = Get(*core_, "d/secret");
    EXPECT_NE(content, "secret");
    if (content == "inside") ++inside;
    if (i % 10 == 0) Put(*core_, "d/new", "1").IgnoreError();
    if (i % 10 == 5) core_->Delete(Name("d/new")).IgnoreError();
    const auto listing = core_->List(Name("d"), "", 10);
    if (listing.ok()) {
      EXPECT_LE(listing->entries.size(), 2u);
    }
  }
  done = true;
  swapper.join();
  EXPECT_GT(inside, 0);
  EXPECT_THAT(AllEntries(base_ / "outside"), UnorderedElementsAre("secret"));
  EXPECT_EQ(ReadWhole(base_ / "outside/secret"), "secret");
}

INSTANTIATE_TEST_SUITE_P(, Containment, ::testing::Values(0, ENOSYS, EPERM), [](const auto& error) {
  return error.param == 0 ? "openat2" : error.param == ENOSYS ? "missing" : "forbidden";
});

}  // namespace
}  // namespace rawgate::file
