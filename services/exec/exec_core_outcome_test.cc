// Each outcome that a command can have.
#include <signal.h>

#include <string>

#include <gtest/gtest.h>

#include "services/exec/exec_core.h"
#include "services/exec/exec_core_testing.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using Kind = Outcome::Kind;

TEST(ExecCoreTest, Exited) {
  CoreOnLoop on;
  const auto job = on.Run("echo out; echo err >&2; exit 7");
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_EQ(job->outcome().exit_code, 7);
  EXPECT_EQ(Describe(job->outcome()), "exited 7");
  EXPECT_TRUE(ToStatus(job->outcome()).ok());
  EXPECT_EQ(Text(*job), "out\n");
  EXPECT_EQ(Text(*job, OutputStream::kStderr), "err\n");
  EXPECT_EQ(on.observer.started, 1);
  EXPECT_GE(on.observer.outputs, 2);
  EXPECT_EQ(on.observer.ended, 1);
  EXPECT_LE(job->outcome().start_time, job->outcome().end_time);
  EXPECT_GT(job->outcome().duration, absl::ZeroDuration());
  EXPECT_GT(job->outcome().max_resident_bytes, 0u);
  EXPECT_FALSE(job->outcome().output_may_be_incomplete);
  EXPECT_EQ(on.core.running(), 0u);
}

TEST(ExecCoreTest, StreamsCanBeOpenedByTheirNames) {
  CoreOnLoop on;
  const auto job = on.Run("echo out > /dev/stdout; echo err > /dev/stderr");
  EXPECT_EQ(Text(*job), "out\n");
  EXPECT_EQ(Text(*job, OutputStream::kStderr), "err\n");
}

TEST(ExecCoreTest, Signalled) {
  CoreOnLoop on;
  const auto job = on.Run("kill -USR1 $$");
  EXPECT_EQ(job->outcome().kind, Kind::kSignalled);
  EXPECT_EQ(job->outcome().signal, SIGUSR1);
  EXPECT_EQ(Describe(job->outcome()), "signalled USR1");
}

TEST(ExecCoreTest, CoreFilesAreNotWritten) {
  CoreOnLoop on;
  const auto job = on.Run("kill -ABRT $$");
  EXPECT_EQ(job->outcome().kind, Kind::kSignalled);
  EXPECT_EQ(job->outcome().signal, SIGABRT);
  EXPECT_FALSE(job->outcome().core_dumped);
}

TEST(ExecCoreTest, TimedOut) {
  CoreOnLoop on;
  CommandSpec spec = Shell("echo before; sleep 600");
  spec.timeout = absl::Milliseconds(300);
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kTimedOut);
  EXPECT_EQ(job->outcome().timeout, absl::Milliseconds(300));
  EXPECT_EQ(job->outcome().signal, SIGTERM);
  EXPECT_EQ(Text(*job), "before\n");
  EXPECT_TRUE(absl::IsDeadlineExceeded(ToStatus(job->outcome())));
}

TEST(ExecCoreTest, DefaultTimeoutApplies) {
  CoreOnLoop on({.timeout_default = absl::Milliseconds(200)});
  EXPECT_EQ(on.Run("sleep 600")->outcome().kind, Kind::kTimedOut);
}

TEST(ExecCoreTest, TimedOutIgnoringTerm) {
  CoreOnLoop on({}, {.grace = absl::Milliseconds(200)});
  CommandSpec spec = Shell("trap '' TERM; echo ready; while :; do sleep 600; done");
  spec.timeout = absl::Milliseconds(300);
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kTimedOut);
  EXPECT_EQ(job->outcome().signal, SIGKILL);
  EXPECT_EQ(Text(*job), "ready\n");
}

TEST(ExecCoreTest, TermMayBeHandledWithinTheGrace) {
  CoreOnLoop on;
  CommandSpec spec =
      Shell("trap 'echo cleaned up; exit 3' TERM; echo ready; while :; do sleep 0.05; done");
  spec.timeout = absl::Milliseconds(300);
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kTimedOut);
  EXPECT_EQ(job->outcome().signal, 0);
  EXPECT_EQ(job->outcome().exit_code, 3);
  EXPECT_EQ(Text(*job), "ready\ncleaned up\n");
}

TEST(ExecCoreTest, ProcessWithoutItsFirstThreadIsEndedToo) {
  CoreOnLoop on;
  CommandSpec spec = Program({"/usr/bin/python3", "-c",
                              "import ctypes, threading, time\n"
                              "threading.Thread(target=time.sleep, args=(600,)).start()\n"
                              "print('up', flush=True)\n"
                              "ctypes.CDLL(None).pthread_exit(None)\n"});
  const auto job = on.Start(spec);
  // In /proc it looks as if it had ended.
  on.RunUntil([&] { return Text(*job) == "up\n" && CommandLine(job->pid()).empty(); });
  job->Cancel();
  on.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kCancelled);
  EXPECT_EQ(job->outcome().signal, SIGTERM);
}

TEST(ExecCoreTest, StoppedProcessIsEndedToo) {
  CoreOnLoop on;
  CommandSpec spec = Shell("kill -STOP $$");
  spec.timeout = absl::Milliseconds(200);
  EXPECT_EQ(on.Run(spec)->outcome().kind, Kind::kTimedOut);
}

TEST(ExecCoreTest, Cancelled) {
  CoreOnLoop on;
  const auto job = on.Start("echo up; sleep 600");
  on.RunUntil([&] { return on.observer.outputs > 0; });
  job->Cancel();
  job->Cancel();
  on.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kCancelled);
  EXPECT_EQ(on.observer.ended, 1);
  EXPECT_TRUE(absl::IsCancelled(ToStatus(job->outcome())));
}

TEST(ExecCoreTest, StartFailsWithoutProgram) {
  CoreOnLoop on;
  for (const char* program : {"/no/such/program", "no-such-program-anywhere"}) {
    const auto job = on.Run(Program({program}));
    EXPECT_EQ(job->outcome().kind, Kind::kStartFailed);
    EXPECT_EQ(job->outcome().errno_value, ENOENT);
    EXPECT_EQ(job->outcome().message, "exec: No such file or directory");
    EXPECT_EQ(on.core.running(), 0u);
  }
}

TEST(ExecCoreTest, StartFailsWithoutPermission) {
  CoreOnLoop on;
  const std::string program = on.scratch.path() + "/not-executable";
  ASSERT_EQ(on.Run("echo 'echo hi' >" + program)->outcome().exit_code, 0);
  const auto job = on.Run(Program({program}));
  EXPECT_EQ(job->outcome().kind, Kind::kStartFailed);
  EXPECT_EQ(job->outcome().errno_value, EACCES);
}

TEST(ExecCoreTest, StartFailsWithoutWorkingFolder) {
  CoreOnLoop on;
  CommandSpec spec = Shell("true");
  spec.folder = "/no/such/folder";
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kStartFailed);
  EXPECT_EQ(job->outcome().message, "working folder: No such file or directory");
}

TEST(ExecCoreTest, StartFailsWithoutLauncher) {
  boost::asio::io_context loop{1};
  observe::EventLog events;
  ProcessHost host(loop, {.launcher_path = "/no/such/launcher"});
  ExecCore core(host, {}, AnythingForAnybody(), events);
  RecordingObserver observer;
  const auto job = core.Start(Shell("true"));
  ASSERT_TRUE(job.ok());
  (*job)->AddObserver(observer);
  while ((*job)->state() != Job::State::kEnded) loop.run_one();
  EXPECT_EQ((*job)->outcome().kind, Kind::kStartFailed);
  EXPECT_EQ((*job)->outcome().message, "start: No such file or directory");
  EXPECT_EQ(observer.ended, 1);
}

TEST(ExecCoreTest, CommandThatExitsLikeAFailedLauncherHasExited) {
  CoreOnLoop on;
  const auto job = on.Run("exit 127");
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_EQ(job->outcome().exit_code, 127);
}

TEST(ExecCoreTest, OutputLimit) {
  CoreOnLoop on({.output_max = 100'000});
  const auto job = on.Run("yes");
  EXPECT_EQ(job->outcome().kind, Kind::kOutputLimit);
  EXPECT_EQ(job->outcome().output_limit, 100'000u);
  EXPECT_EQ(job->output(OutputStream::kStdout).size(), 100'000u);
  EXPECT_TRUE(absl::IsResourceExhausted(ToStatus(job->outcome())));
}

TEST(ExecCoreTest, OutputLimitCountsBothStreams) {
  CoreOnLoop on({.output_max = 100'000});
  const auto job = on.Run("yes >&2 & yes");
  EXPECT_EQ(job->outcome().kind, Kind::kOutputLimit);
  EXPECT_LE(job->output(OutputStream::kStdout).size() + job->output(OutputStream::kStderr).size(),
            100'000u);
}

TEST(ExecCoreTest, OutputOfExactlyTheLimitIsNotTooMuch) {
  CoreOnLoop on({.output_max = 100'000});
  const auto job = on.Run("head -c 100000 /dev/zero");
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_EQ(job->output(OutputStream::kStdout).size(), 100'000u);
}

}  // namespace
}  // namespace rawgate::exec
