// What becomes of a command's descendants.
#include "services/exec/exec_process.h"

#include <sys/wait.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "services/exec/exec_process_testing.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

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

}  // namespace
}  // namespace rawgate::exec
