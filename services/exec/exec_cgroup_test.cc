#include "services/exec/exec_cgroup.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace rawgate::exec {
namespace {

constexpr char kHybridMounts[] =
    "30 25 0:27 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
    "38 30 0:35 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "40 30 0:37 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n";
constexpr char kMounts[] = "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";

TEST(OwnCgroupTest, IsBelowWhereTheyAreMounted) {
  EXPECT_EQ(Cgroups::OwnFolder("0::/system.slice/rawgate-exec.service\n", kMounts),
            "/sys/fs/cgroup/system.slice/rawgate-exec.service");
  EXPECT_EQ(Cgroups::OwnFolder("0::/\n", kMounts), "/sys/fs/cgroup");
}

TEST(OwnCgroupTest, IsThatOfVersion2) {
  EXPECT_EQ(Cgroups::OwnFolder("4:memory:/other\n8:pids:/\n0::/own\n", kHybridMounts),
            "/sys/fs/cgroup/unified/own");
  EXPECT_EQ(Cgroups::OwnFolder("4:memory:/other\n8:pids:/\n", kHybridMounts), "");
  EXPECT_EQ(Cgroups::OwnFolder("0::/own\n", "38 30 0:35 / /cg rw - cgroup cgroup rw,pids\n"), "");
  EXPECT_EQ(Cgroups::OwnFolder("", ""), "");
}

TEST(OwnCgroupTest, IsNotSoughtWhereOnlyOthersCanBeSeen) {
  constexpr char kPart[] = "29 23 0:26 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(Cgroups::OwnFolder("0::/docker/1/below\n", kPart), "/sys/fs/cgroup/below");
  EXPECT_EQ(Cgroups::OwnFolder("0::/docker/1\n", kPart), "/sys/fs/cgroup");
  EXPECT_EQ(Cgroups::OwnFolder("0::/docker/12\n", kPart), "");
  EXPECT_EQ(Cgroups::OwnFolder("0::/elsewhere\n", kPart), "");
  EXPECT_EQ(Cgroups::OwnFolder("0::/../above\n", kMounts), "");
}

TEST(CgroupTest, NoneHasNothing) {
  const Cgroup none;
  EXPECT_FALSE(none.Open());
  EXPECT_FALSE(none.Kill());
}

// On a machine that lets this process make none there is nothing to see here, and it says so.
class CgroupsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!cgroups_.ok()) GTEST_SKIP() << cgroups_.status();
  }

  absl::StatusOr<Cgroups> cgroups_ = Cgroups::Find();
};

TEST_F(CgroupsTest, EachIsAnotherAndIsRemoved) {
  std::string folder;
  {
    absl::StatusOr<Cgroup> first = cgroups_->Make();
    const absl::StatusOr<Cgroup> second = cgroups_->Make();
    ASSERT_TRUE(first.ok() && second.ok()) << first.status() << second.status();
    EXPECT_NE(first->folder(), second->folder());
    const Cgroup moved = *std::move(first);
    folder = moved.folder();
    EXPECT_TRUE(std::filesystem::is_directory(folder));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(CgroupsTest, KillEndsAllThatIsInIt) {
  const absl::StatusOr<Cgroup> cgroup = cgroups_->Make();
  ASSERT_TRUE(cgroup.ok()) << cgroup.status();
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  std::ofstream(cgroup->folder() + "/cgroup.procs") << child << std::flush;
  EXPECT_TRUE(cgroup->Kill());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST_F(CgroupsTest, WhatKilledServicesLeftIsKilledAndRemoved) {
  const absl::StatusOr<Cgroup> own = cgroups_->Make();
  ASSERT_TRUE(own.ok()) << own.status();
  const auto parent = std::filesystem::path(own->folder()).parent_path().parent_path();
  const std::string left = parent / absl::StrCat("rawgate-exec-left-", getpid());
  const std::string foreign = parent / absl::StrCat("rawgate-test-", getpid());
  for (const std::string& folder : {left, left + "/1", left + "/2", foreign})
    ASSERT_TRUE(std::filesystem::create_directory(folder)) << folder;
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  std::ofstream(left + "/1/cgroup.procs") << child << std::flush;
  ASSERT_TRUE(Cgroups::Find().ok());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  EXPECT_FALSE(std::filesystem::exists(left + "/2"));
  // It may have been busy the first time.
  ASSERT_TRUE(Cgroups::Find().ok());
  EXPECT_FALSE(std::filesystem::exists(left));
  EXPECT_TRUE(std::filesystem::exists(own->folder()));
  EXPECT_TRUE(std::filesystem::remove(foreign));
}

TEST_F(CgroupsTest, NothingIsLeftOfThem) {
  std::filesystem::path all;
  {
    absl::StatusOr<Cgroups> cgroups = Cgroups::Find();
    ASSERT_TRUE(cgroups.ok()) << cgroups.status();
    const absl::StatusOr<Cgroup> one = cgroups->Make();
    ASSERT_TRUE(one.ok()) << one.status();
    all = std::filesystem::path(one->folder()).parent_path();
    EXPECT_TRUE(std::filesystem::exists(all));
  }
  EXPECT_FALSE(std::filesystem::exists(all));
}

}  // namespace
}  // namespace rawgate::exec
