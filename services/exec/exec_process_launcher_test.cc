// Launchers and their cgroups: what they outlive, and what becomes of their commands.
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <iterator>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/exec/exec_cgroup.h"
#include "services/exec/exec_process.h"
#include "services/exec/exec_process_testing.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

TEST_P(ProcessTest, LaunchersAreUsedAgain) {
  CoreOnLoop on({}, host_options());
  const auto launcher_of = [&](const std::string& command) { return Text(*on.Run(command)); };
  const std::string first = launcher_of("echo $PPID");
  EXPECT_EQ(launcher_of("echo $PPID"), first);
  // After a failure to start, and after a tree that had to be killed, too.
  CommandSpec nothing;
  nothing.argv = {"/nowhere/nothing"};
  on.Run(nothing);
  const std::string length = UniqueLength();
  CancelAndExpectNothingLeft(
      on, StartAndAwaitSleepers(on, absl::StrCat("setsid sleep ", length), length, 1), length);
  EXPECT_EQ(launcher_of("echo $PPID"), first);
}

TEST_P(ProcessTest, TheEndOfALauncherIsTheEndOfItsCommand) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  const auto job = StartAndAwaitSleepers(
      on,
      absl::StrCat("(env -i /usr/bin/setsid /bin/sleep ", length,
                   " >/dev/null 2>&1 &); setsid sleep ", length, " & sleep ", length),
      length, 3);
  on.RunUntil([&] { return job->pid() != 0; });
  ProcessRow command;
  ASSERT_TRUE(ReadProcess(job->pid(), &command));
  kill(command.parent, SIGKILL);
  on.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kSignalled);
  EXPECT_EQ(job->outcome().signal, SIGKILL);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  on.RunUntil(OnlyLaunchersAreLeft);
  EXPECT_EQ(Text(*on.Run("echo next")), "next\n");
}

TEST_P(ProcessTest, ALauncherThatWasStoppedDoesNotSaveItsCommand) {
  CoreOnLoop on({}, host_options(absl::Milliseconds(50), absl::Milliseconds(200)));
  const std::string length = UniqueLength();
  const auto job = StartAndAwaitSleepers(
      on, absl::StrCat("(setsid sleep ", length, " &); trap '' TERM; sleep ", length), length, 2);
  on.RunUntil([&] { return job->pid() != 0; });
  ProcessRow command;
  ASSERT_TRUE(ReadProcess(job->pid(), &command));
  kill(command.parent, SIGSTOP);
  job->Cancel();
  on.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kCancelled);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  on.RunUntil(OnlyLaunchersAreLeft);
}

TEST_P(ProcessTest, AnIdleLauncherThatWasKilledIsReplaced) {
  CoreOnLoop on({}, host_options());
  const std::string launcher = Text(*on.Run("echo $PPID"));
  const auto pid = static_cast<pid_t>(std::stol(launcher));
  kill(pid, SIGKILL);
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT), 0);
  const std::string next = Text(*on.Run("echo $PPID"));
  EXPECT_FALSE(next.empty());
  EXPECT_NE(next, launcher);
}

TEST_P(ProcessTest, AForkBombIsEnded) {
  CoreOnLoop on({}, host_options(absl::Milliseconds(100)));
  CommandSpec spec;
  // Some of them in sessions of their own. The limit is for all processes of the user, and other
  // tests want to run some meanwhile.
  spec.argv = {"/usr/bin/python3", "-c",
               "import os, resource\n"
               "resource.setrlimit(resource.RLIMIT_NPROC, (300, 300))\n"
               "while True:\n"
               "    try:\n"
               "        if os.fork() == 0 and os.getpid() % 16 == 0: os.setsid()\n"
               "    except OSError: pass\n"};
  spec.timeout = absl::Milliseconds(300);
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kTimedOut);
  ExpectOnlyLaunchersAreLeft(on);
}

TEST_P(ProcessTest, ACoreThatGoesAwayLeavesNothing) {
  const std::string length = UniqueLength();
  {
    CoreOnLoop on({}, host_options());
    StartAndAwaitSleepers(
        on, absl::StrCat("trap '' TERM; (setsid sleep ", length, " &); sleep ", length), length, 2);
  }
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  EXPECT_TRUE(OnlyLaunchersAreLeft());
}

// ---- Cgroups

// The folder of the one that this process is in; empty where there is none.
std::string OwnCgroup() {
  std::ifstream cgroups("/proc/self/cgroup");
  std::ifstream mounts("/proc/self/mountinfo");
  return Cgroups::OwnFolder(std::string(std::istreambuf_iterator<char>(cgroups), {}),
                            std::string(std::istreambuf_iterator<char>(mounts), {}));
}

// As the command tells it; empty where it has none of its own.
std::string CgroupOfCommand(CoreOnLoop& on) {
  for (const absl::string_view line :
       absl::StrSplit(Text(*on.Run("cat /proc/self/cgroup")), '\n')) {
    if (absl::StartsWith(line, "0::") && absl::StrContains(line, "/rawgate-exec-"))
      return std::string(line.substr(line.find("rawgate-exec-")));
  }
  return "";
}

TEST_P(ProcessTest, ACommandHasACgroupWhereTheyAreToBeHad) {
  CoreOnLoop on({}, host_options());
  EXPECT_EQ(!CgroupOfCommand(on).empty(), GetParam() && Cgroups::Find().ok());
}

TEST_P(ProcessTest, ACommandThatRunsAsRootHasNone) {
  CoreOnLoop on({}, host_options());
  PolicyRule rule = AnybodyMay();
  const absl::StatusOr<Identity> root = ResolveIdentity("root");
  if (!root.ok()) GTEST_SKIP() << root.status();
  rule.identity = *root;
  on.core.SetPolicy(Policy({rule}));
  EXPECT_EQ(CgroupOfCommand(on), "");
  const std::string length = UniqueLength();
  CancelAndExpectNothingLeft(
      on, StartAndAwaitSleepers(on, absl::StrCat("setsid sleep ", length), length, 1), length);
}

TEST_P(ProcessTest, ALauncherWhoseCommandWasKilledIsNotUsedAgainWithItsCgroup) {
  CoreOnLoop on({}, host_options());
  const std::string before = CgroupOfCommand(on);
  on.Run("kill -KILL $$");
  const std::string after = CgroupOfCommand(on);
  EXPECT_EQ(before.empty(), after.empty());
  EXPECT_TRUE(before.empty() || before != after) << after;
}

TEST_P(ProcessTest, ACommandIsEndedThoughSomebodyHasRemovedItsCgroup) {
  CoreOnLoop on({}, host_options(absl::Milliseconds(50)));
  const std::string cgroup = CgroupOfCommand(on);
  if (!cgroup.empty()) {
    const std::string folder = absl::StrCat(OwnCgroup(), "/", cgroup);
    ASSERT_EQ(rmdir(folder.c_str()), 0) << folder;
  }
  const std::string length = UniqueLength();
  const auto job =
      StartAndAwaitSleepers(on, absl::StrCat("trap '' TERM; sleep ", length), length, 1);
  CancelAndExpectNothingLeft(on, job, length);
}

TEST_P(ProcessTest, ACommandIsEndedThoughItHasLeftItsCgroup) {
  CoreOnLoop on({}, host_options(absl::Milliseconds(50)));
  const std::string length = UniqueLength();
  const auto job =
      StartAndAwaitSleepers(on, absl::StrCat("trap '' TERM; sleep ", length), length, 1);
  const std::string own = OwnCgroup();
  if (!own.empty()) std::ofstream(own + "/cgroup.procs") << SleepersFor(length).front();
  CancelAndExpectNothingLeft(on, job, length);
}

}  // namespace
}  // namespace rawgate::exec
