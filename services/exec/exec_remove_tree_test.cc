#include "services/exec/exec_remove_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

namespace fs = std::filesystem;

bool Never() { return false; }

class RemoveTreeTest : public ::testing::Test {
 protected:
  RemoveTreeTest() { fs::create_directory(tree_); }

  ScratchFolder scratch_;
  const std::string tree_ = scratch_.path() + "/tree";
};

TEST_F(RemoveTreeTest, AllKindsOfThings) {
  fs::create_directories(tree_ + "/a/b/c");
  fs::create_directories(tree_ + "/a/b/moved-1");
  std::ofstream(tree_ + "/a/b/c/file") << "x";
  std::ofstream(tree_ + "/moved-1") << "x";
  ASSERT_EQ(mkfifo((tree_ + "/a/fifo").c_str(), 0600), 0);
  for (int i = 0; i < 3000; ++i) std::ofstream(absl::StrCat(tree_, "/a/b/", i)) << i;
  EXPECT_EQ(RemoveTree(tree_, Never), 0);
  EXPECT_FALSE(fs::exists(tree_));
}

TEST_F(RemoveTreeTest, LinksAreNotFollowed) {
  fs::create_directory(scratch_.path() + "/outside");
  std::ofstream(scratch_.path() + "/outside/file") << "x";
  fs::create_symlink(scratch_.path() + "/outside", tree_ + "/link");
  EXPECT_EQ(RemoveTree(tree_, Never), 0);
  EXPECT_TRUE(fs::exists(scratch_.path() + "/outside/file"));
  fs::create_symlink(scratch_.path() + "/outside", tree_);
  EXPECT_EQ(RemoveTree(tree_, Never), ENOTDIR);
  EXPECT_TRUE(fs::exists(scratch_.path() + "/outside/file"));
}

TEST_F(RemoveTreeTest, DeeperThanAnyPathOrNumberOfDescriptors) {
  Fd folder(open(tree_.c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(mkdirat(folder.get(), "deep", 0700), 0);
    folder.Reset(openat(folder.get(), "deep", O_RDONLY | O_DIRECTORY));
  }
  EXPECT_EQ(RemoveTree(tree_, Never), 0);
  EXPECT_FALSE(fs::exists(tree_));
}

// Root's rights would hide what modes forbid, so a process without them does it.
TEST_F(RemoveTreeTest, WhateverTheModes) {
  fs::permissions(tree_, fs::perms::all);
  const pid_t pid = fork();
  if (pid == 0) {
    const bool became = geteuid() != 0 || setresuid(65534, 65534, 65534) == 0;
    const std::string mine = tree_ + "/mine";
    fs::create_directories(mine + "/a/b/c");
    std::ofstream(mine + "/a/b/file") << "x";
    for (const char* each : {"/a/b/c", "/a/b", "/a"}) fs::permissions(mine + each, fs::perms::none);
    fs::permissions(mine, fs::perms::owner_read | fs::perms::owner_exec);
    _exit(became && RemoveTree(mine, Never) == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::is_empty(tree_));
}

TEST_F(RemoveTreeTest, CanBeGivenUp) {
  for (int i = 0; i < 100; ++i) std::ofstream(absl::StrCat(tree_, "/", i)) << i;
  int asked = 0;
  EXPECT_EQ(RemoveTree(tree_, [&] { return ++asked > 50; }), ECANCELED);
  EXPECT_FALSE(fs::is_empty(tree_));
  EXPECT_EQ(RemoveTree(tree_, Never), 0);
  EXPECT_EQ(RemoveTree(tree_, Never), ENOENT);
}

}  // namespace
}  // namespace rawgate::exec
