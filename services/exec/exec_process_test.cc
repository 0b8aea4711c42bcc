// What becomes of a command's descendants.
#include "services/exec/exec_process.h"

#include <signal.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/exec/exec_cgroup.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using Kind = Outcome::Kind;
using ::testing::IsEmpty;

// All of it is so with cgroups and without; where the system allows none, it is without both times.
class ProcessTest : public ::testing::TestWithParam<bool> {
 protected:
  static ProcessHostOptions host_options(absl::Duration grace = absl::Seconds(2),
                                         absl::Duration kill_patience = absl::Seconds(30)) {
    return {.cgroups = GetParam(), .grace = grace, .kill_patience = kill_patience};
  }
};

INSTANTIATE_TEST_SUITE_P(, ProcessTest, ::testing::Bool(), [](const auto& each) {
  return each.param ? "WithCgroups" : "WithoutCgroups";
});

std::shared_ptr<Job> StartAndAwaitSleepers(CoreOnLoop& on, const std::string& shell_command,
                                           const std::string& length, size_t count) {
  const auto job = on.Start(shell_command);
  on.RunUntil([&] { return SleepersFor(length).size() == count; });
  return job;
}

// A launcher whose cgroup was killed goes, too, and is reaped a little later.
void ExpectOnlyLaunchersAreLeft(CoreOnLoop& on) {
  if (ProcessTest::GetParam()) on.RunUntil(OnlyLaunchersAreLeft);
  EXPECT_TRUE(OnlyLaunchersAreLeft());
}

void CancelAndExpectNothingLeft(CoreOnLoop& on, const std::shared_ptr<Job>& job,
                                const std::string& length) {
  job->Cancel();
  on.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kCancelled);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  ExpectOnlyLaunchersAreLeft(on);
}

TEST_P(ProcessTest, CancelEndsChildren) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  const auto job = StartAndAwaitSleepers(
      on, absl::StrCat("sleep ", length, " & sleep ", length, " & wait"), length, 2);
  CancelAndExpectNothingLeft(on, job, length);
}

TEST_P(ProcessTest, CancelEndsOrphansInSessionsOfTheirOwn) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  const auto job = StartAndAwaitSleepers(
      on,
      absl::StrCat("(setsid setsid sleep ", length, " &); (setsid sh -c 'sleep ", length,
                   " & sleep ", length, "' &); sleep 600"),
      length, 3);
  CancelAndExpectNothingLeft(on, job, length);
}

TEST_P(ProcessTest, CancelEndsWhatHidesItsOrigin) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  // No job id in its environment, a session of its own, no parent: nothing tells whose it is but
  // that no other command runs.
  const auto job = StartAndAwaitSleepers(
      on,
      absl::StrCat("(env -i /usr/bin/setsid /bin/sleep ", length, " >/dev/null 2>&1 &); sleep 600"),
      length, 1);
  CancelAndExpectNothingLeft(on, job, length);
}

TEST_P(ProcessTest, CancelEndsWhatHidesItsOriginWhileOthersRun) {
  CoreOnLoop on({}, host_options());
  const std::string other_length = UniqueLength();
  const auto other =
      StartAndAwaitSleepers(on, absl::StrCat("sleep ", other_length), other_length, 1);
  const std::string length = UniqueLength();
  const auto job = StartAndAwaitSleepers(
      on,
      absl::StrCat("(env -i /usr/bin/setsid /bin/sleep ", length, " >/dev/null 2>&1 &); sleep 600"),
      length, 1);
  job->Cancel();
  on.Await(job);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  EXPECT_EQ(SleepersFor(other_length).size(), 1u);
  CancelAndExpectNothingLeft(on, other, other_length);
}

TEST_P(ProcessTest, CancelEndsWhatIgnoresTerm) {
  CoreOnLoop on({}, host_options(absl::Milliseconds(100)));
  const std::string length = UniqueLength();
  const auto job =
      StartAndAwaitSleepers(on,
                            absl::StrCat("(trap '' TERM HUP INT; setsid sleep ", length,
                                         " & nohup sleep ", length, " & wait) & wait"),
                            length, 2);
  CancelAndExpectNothingLeft(on, job, length);
}

TEST_P(ProcessTest, ManyCancelledTreesLeaveNothing) {
  CoreOnLoop on({}, host_options(absl::Milliseconds(50)));
  const std::string length = UniqueLength();
  // As many launchers as are needed at once.
  const auto start_launchers = [&] {
    std::vector<std::shared_ptr<Job>> jobs;
    for (int i = 0; i < 5; ++i) jobs.push_back(on.Start("sleep 0.1"));
    for (const auto& job : jobs) on.Await(job);
  };
  start_launchers();
  const size_t descriptors = OpenDescriptors();
  for (int round = 0; round < 10; ++round) {
    std::vector<std::shared_ptr<Job>> jobs;
    for (int i = 0; i < 5; ++i) {
      jobs.push_back(
          on.Start(absl::StrCat("trap '' TERM; (setsid sleep ", length, " &); nohup sleep ", length,
                                " >/dev/null 2>&1 & sleep ", length)));
    }
    on.RunUntil([&] { return SleepersFor(length).size() == 15; });
    for (const auto& job : jobs) job->Cancel();
    for (const auto& job : jobs) on.Await(job);
  }
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  ExpectOnlyLaunchersAreLeft(on);
  start_launchers();  // those whose cgroups were killed are gone
  // A look through /proc that a cancellation began may not have come to its end.
  on.RunUntil([&] { return OpenDescriptors() == descriptors; });
}

TEST_P(ProcessTest, DescriptorsAndProcessesAreBackAfterManyCommands) {
  CoreOnLoop on({}, host_options());
  on.Run("true");
  const size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 200; ++i) {
    const auto job = on.Run(absl::StrCat("exit ", i));
    ASSERT_EQ(job->outcome().kind, Kind::kExited);
    ASSERT_EQ(job->outcome().exit_code, i);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_TRUE(OnlyLaunchersAreLeft());
}

TEST_P(ProcessTest, ManyAtOnceKeepTheirOutputsApart) {
  CoreOnLoop on({.commands_max = 20}, host_options());
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 100; ++i) jobs.push_back(on.Start(absl::StrCat("echo ", i, "; exit ", i)));
  for (int i = 0; i < 100; ++i) {
    on.Await(jobs[static_cast<size_t>(i)]);
    EXPECT_EQ(jobs[static_cast<size_t>(i)]->outcome().exit_code, i);
    EXPECT_EQ(Text(*jobs[static_cast<size_t>(i)]), absl::StrCat(i, "\n"));
  }
}

// ---- Survivors of a command that ended by itself

TEST_P(ProcessTest, BackgroundChildWithTheOutputDoesNotHang) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  CommandSpec spec;
  spec.shell_command = absl::StrCat("sleep ", length, " & echo hi; exit 4");
  spec.drain_timeout = absl::Milliseconds(200);
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_EQ(job->outcome().exit_code, 4);
  EXPECT_TRUE(job->outcome().output_may_be_incomplete);
  EXPECT_EQ(Text(*job), "hi\n");
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

TEST_P(ProcessTest, LateOutputWithinTheDrainTimeIsKept) {
  CoreOnLoop on({}, host_options());
  CommandSpec spec;
  spec.shell_command = "(sleep 0.2; echo late) & echo early";
  spec.drain_timeout = absl::Seconds(30);
  const auto job = on.Run(spec);
  EXPECT_EQ(Text(*job), "early\nlate\n");
  EXPECT_FALSE(job->outcome().output_may_be_incomplete);
}

TEST_P(ProcessTest, DaemonWithoutTheOutputIsEndedToo) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  const auto job =
      on.Run(absl::StrCat("(setsid sleep ", length, " >/dev/null 2>&1 </dev/null &) ; echo hi"));
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_FALSE(job->outcome().output_may_be_incomplete);
  EXPECT_EQ(Text(*job), "hi\n");
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  EXPECT_TRUE(OnlyLaunchersAreLeft());
}

TEST_P(ProcessTest, TheEndOfOneCommandSparesTheDaemonsOfAnother) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  const auto job =
      StartAndAwaitSleepers(on,
                            absl::StrCat("(setsid sleep ", length,
                                         " >/dev/null 2>&1 &); (env -i /usr/bin/setsid /bin/sleep ",
                                         length, " >/dev/null 2>&1 &); sleep 600"),
                            length, 2);
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(on.Run("(setsid true &); echo hi")->outcome().kind, Kind::kExited);
  EXPECT_EQ(SleepersFor(length).size(), 2u);
  CancelAndExpectNothingLeft(on, job, length);
}

TEST_P(ProcessTest, OrphansThatEndAreReapedWhileTheCommandRuns) {
  CoreOnLoop on({}, host_options());
  const std::string length = UniqueLength();
  const auto job = StartAndAwaitSleepers(
      on, absl::StrCat("for i in 1 2 3 4 5; do (true &); done; sleep ", length), length, 1);
  on.RunUntil([&] {
    const auto rows = FindDescendants(ReadProcesses(), getpid());
    return std::none_of(rows.begin(), rows.end(),
                        [](const ProcessRow& row) { return CommandLine(row.pid).empty(); });
  });
  CancelAndExpectNothingLeft(on, job, length);
}

// ---- Launchers

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
