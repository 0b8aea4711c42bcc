// What a command finds when it starts.
#include "services/exec/exec_launch.h"

#include <signal.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"
#include "services/exec/exec_launcher_pool.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using Kind = Outcome::Kind;
using ::testing::HasSubstr;

CommandSpec Shell(std::string text) {
  CommandSpec spec;
  spec.shell_command = std::move(text);
  return spec;
}

CommandSpec Program(std::vector<std::string> argv) {
  CommandSpec spec;
  spec.argv = std::move(argv);
  return spec;
}

TEST(LaunchTest, InputIsEmptyUnlessGiven) {
  CoreOnLoop on;
  EXPECT_EQ(Text(*on.Run("cat; echo end")), "end\n");
  CommandSpec spec = Program({"cat"});
  spec.input = std::string(kInputBytesMax, 'i');
  EXPECT_EQ(Text(*on.Run(spec)), std::string(kInputBytesMax, 'i'));
}

TEST(LaunchTest, EnvironmentIsClean) {
  setenv("RAWGATE_SECRET", "leaked", 1);
  setenv("TZ", "Asia/Tokyo", 1);
  CoreOnLoop on;
  unsetenv("TZ");
  CommandSpec spec = Program({"/usr/bin/env", "-0"});
  spec.environment = {{"GREETING", "a"}, {"GREETING", "b c"}, {"TZ", "UTC"}};
  const auto job = on.Run(spec);
  std::vector<std::string> names;
  for (absl::string_view entry : absl::StrSplit(Text(*job), '\0', absl::SkipEmpty())) {
    names.emplace_back(entry.substr(0, entry.find('=')));
  }
  for (const std::string& name : names) {
    EXPECT_THAT(name, ::testing::AnyOf("RAWGATE_JOB_ID", "PATH", "HOME", "USER", "LOGNAME", "LANG",
                                       "TZ", "GREETING"));
  }
  EXPECT_THAT(Text(*job),
              HasSubstr(absl::StrCat("RAWGATE_JOB_ID=", job->id(), std::string(1, '\0'))));
  EXPECT_THAT(Text(*job), HasSubstr(absl::StrCat("GREETING=b c", std::string(1, '\0'))));
  EXPECT_THAT(Text(*job), HasSubstr(absl::StrCat("TZ=UTC", std::string(1, '\0'))));
}

TEST(LaunchTest, PathOfTheRequestFindsTheProgram) {
  CoreOnLoop on;
  CommandSpec spec = Shell("printf '#!/bin/sh\\necho found\\n' > tool && chmod 755 tool");
  ASSERT_EQ(on.Run(spec)->outcome().exit_code, 0);
  spec = Program({"tool"});
  EXPECT_EQ(on.Run(spec)->outcome().kind, Kind::kStartFailed);
  spec.environment = {{"PATH", absl::StrCat("relative::", on.scratch.path(), ":/usr/bin:/bin")}};
  EXPECT_EQ(Text(*on.Run(spec)), "found\n");
  // A folder that is relative or empty would be the working folder.
  spec.environment = {{"PATH", ":.:"}};
  EXPECT_EQ(on.Run(spec)->outcome().kind, Kind::kStartFailed);
}

TEST(LaunchTest, RunsInTheWorkingFolder) {
  CoreOnLoop on;
  EXPECT_EQ(Text(*on.Run("pwd -P")), std::filesystem::canonical(on.scratch.path()).string() + "\n");
  CommandSpec spec = Shell("pwd");
  spec.folder = "/usr";
  EXPECT_EQ(Text(*on.Run(spec)), "/usr\n");
}

TEST(LaunchTest, NoOtherDescriptorIsOpen) {
  CoreOnLoop on;
  const Fd inheritable(open("/dev/null", O_RDONLY));
  // The shell's own `ls` has one more: the folder that it reads.
  EXPECT_EQ(Text(*on.Run("ls /proc/self/fd | wc -l")), "4\n");
}

TEST(LaunchTest, SignalsAndPrivilegesAreReset) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto pipe_before = signal(SIGPIPE, SIG_IGN);
  CoreOnLoop on;
  const std::string status = Text(*on.Run(Program({"cat", "/proc/self/status"})));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  signal(SIGPIPE, pipe_before);
  EXPECT_THAT(status, HasSubstr("SigBlk:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("SigIgn:\t0000000000000000"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
}

TEST(LaunchTest, LeadsASessionOfItsOwn) {
  CoreOnLoop on;
  const auto job = on.Run("cut -d' ' -f 1,5,6 /proc/$$/stat");
  const std::string pid = absl::StrCat(job->pid());
  EXPECT_EQ(Text(*job), absl::StrCat(pid, " ", pid, " ", pid, "\n"));
}

TEST(LaunchTest, RootRunsCommandsAsNobody) {
  CoreOnLoop on;
  const std::string ids =
      Text(*on.Run("id -u; id -g; id -G; echo $HOME; cat /proc/self/status | grep CapEff"));
  if (geteuid() == 0) {
    const Identity nobody = *ResolveIdentity("nobody");
    EXPECT_THAT(ids, ::testing::StartsWith(absl::StrCat(nobody.user, "\n", nobody.group, "\n",
                                                        nobody.group, "\n", nobody.home, "\n")));
    EXPECT_THAT(ids, HasSubstr("CapEff:\t0000000000000000"));
    EXPECT_NE(on.Run("cat /etc/shadow")->outcome().exit_code, 0);
  } else {
    EXPECT_THAT(ids, ::testing::StartsWith(absl::StrCat(geteuid(), "\n")));
  }
}

TEST(IdentityTest, RootOnlyInSoManyWords) {
  if (geteuid() == 0) {
    EXPECT_TRUE(ResolveIdentity("nobody")->change);
    EXPECT_EQ(ResolveIdentity("root")->user, 0u);
    EXPECT_EQ(ReasonOf(ResolveIdentity("").status()), "BAD_RUN_AS");
  } else {
    EXPECT_FALSE(ResolveIdentity("nobody")->change);
    EXPECT_EQ(ReasonOf(ResolveIdentity("root").status()), "BAD_RUN_AS");
  }
  EXPECT_EQ(ReasonOf(ResolveIdentity("no-such-user-here").status()), "BAD_RUN_AS");
}

TEST(LaunchFailureTest, Text) {
  EXPECT_EQ(DescribeLaunchFailure({LaunchStage::kExec, ENOENT}), "exec: No such file or directory");
  EXPECT_EQ(DescribeLaunchFailure({LaunchStage::kSpawn, EAGAIN}),
            "start: Resource temporarily unavailable");
  EXPECT_EQ(DescribeLaunchFailure({static_cast<LaunchStage>(77), 0x7fff}), "start: errno 32767");
}

TEST(FindLauncherTest, IsBesideTheProgram) {
  // Tests are not beside it.
  EXPECT_EQ(ReasonOf(FindLauncher().status()), "NO_LAUNCHER");
}

}  // namespace
}  // namespace rawgate::exec
