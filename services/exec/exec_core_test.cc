#include "services/exec/exec_core.h"

#include <signal.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using Kind = Outcome::Kind;

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

// ---- Each outcome

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

// ---- Output

TEST(ExecCoreTest, LargeOutputGoesToAFile) {
  CoreOnLoop on;
  const auto job = on.Run("seq 1 700000; seq 1 1000 >&2");
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  const Output& output = job->output(OutputStream::kStdout);
  EXPECT_TRUE(output.in_file());
  EXPECT_FALSE(job->output(OutputStream::kStderr).in_file());
  const std::string text = Text(*job);
  ASSERT_EQ(text.size(), output.size());
  int expected = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    ASSERT_EQ(line, absl::StrCat(++expected));
  }
  EXPECT_EQ(expected, 700'000);
  EXPECT_EQ(*output.Read(6, 3), "4\n5");
  EXPECT_TRUE(std::filesystem::is_empty(on.scratch.path())) << "the file has a name";
}

TEST(ExecCoreTest, LargeOutputReachesItsLimitInTheFile) {
  CoreOnLoop on({.output_max = 5'000'000});
  const auto job = on.Run("yes");
  EXPECT_EQ(job->outcome().kind, Kind::kOutputLimit);
  EXPECT_EQ(job->output(OutputStream::kStdout).size(), 5'000'000u);
  EXPECT_EQ(Text(*job).size(), 5'000'000u);
}

TEST(ExecCoreTest, LargeOutputOfExactlyTheLimitIsNotTooMuch) {
  CoreOnLoop on({.output_max = 5'000'000});
  const auto job = on.Run("head -c 5000000 /dev/zero");
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_EQ(job->output(OutputStream::kStdout).size(), 5'000'000u);
}

TEST(ExecCoreTest, OutputThatCannotBeKeptEndsTheCommand) {
  CoreOnLoop on;
  std::filesystem::remove_all(on.scratch.path());
  CommandSpec spec = Shell("yes");
  spec.folder = "/";
  const auto job = on.Run(spec);
  EXPECT_EQ(job->outcome().kind, Kind::kOutputLimit);
}

TEST(ExecCoreTest, BinaryOutputIsUnchanged) {
  CoreOnLoop on;
  EXPECT_EQ(Text(*on.Run(R"(printf '\000\001\377\r\n')")), std::string("\0\1\xff\r\n", 5));
}

TEST(ExecCoreTest, ClosedOutputIsNoEnd) {
  CoreOnLoop on;
  const auto job = on.Run("exec >&- 2>&-; sleep 0.2; exit 5");
  EXPECT_EQ(job->outcome().exit_code, 5);
  EXPECT_FALSE(job->outcome().output_may_be_incomplete);
}

// ---- Refusals

TEST(ExecCoreTest, BadRequestsAreRefusedWithTheirField) {
  CoreOnLoop on;
  const auto refused = [&](const CommandSpec& spec) {
    const auto job = on.core.Start(spec);
    EXPECT_TRUE(absl::IsInvalidArgument(job.status()));
    return absl::StrCat(ReasonOf(job.status()), " ", FieldOf(job.status()));
  };
  const auto with = [&](auto&& change) {
    CommandSpec spec = Shell("true");
    change(spec);
    return refused(spec);
  };
  EXPECT_EQ(refused({}), "NO_COMMAND command");
  EXPECT_EQ(refused(Program({""})), "NO_COMMAND command");
  EXPECT_EQ(refused(Shell(std::string(kCommandBytesMax + 1, 'x'))),
            "COMMAND_TOO_LONG shell_command");
  EXPECT_EQ(refused(Program(std::vector<std::string>(kArgumentsMax + 1, "x"))),
            "COMMAND_TOO_LONG argv");
  EXPECT_EQ(refused(Program({"x", std::string(kCommandBytesMax, 'x')})), "COMMAND_TOO_LONG argv");
  EXPECT_EQ(refused(Shell(std::string("a\0b", 3))), "BAD_COMMAND shell_command");
  EXPECT_EQ(refused(Program({"a", std::string("\0", 1)})), "BAD_COMMAND argv.arguments[1]");
  EXPECT_EQ(with([](auto& spec) { spec.folder = "tmp"; }),
            "BAD_WORKING_DIRECTORY working_directory");
  EXPECT_EQ(with([](auto& spec) { spec.input = std::string(kInputBytesMax + 1, 'x'); }),
            "INPUT_TOO_LONG stdin");
  EXPECT_EQ(with([](auto& spec) { spec.timeout = -absl::Seconds(1); }), "BAD_TIMEOUT timeout");
  EXPECT_EQ(with([](auto& spec) { spec.timeout = absl::Hours(2); }), "BAD_TIMEOUT timeout");
  EXPECT_EQ(with([](auto& spec) {
              spec.environment = {{"A", "1"}, {"", "2"}};
            }),
            "BAD_ENVIRONMENT environment[1].name");
  EXPECT_EQ(with([](auto& spec) {
              spec.environment = {{"A=B", "1"}};
            }),
            "BAD_ENVIRONMENT environment[0].name");
  EXPECT_EQ(with([](auto& spec) {
              spec.environment = {{"RAWGATE_JOB_ID", "1"}};
            }),
            "BAD_ENVIRONMENT environment[0].name");
  EXPECT_EQ(with([](auto& spec) {
              spec.environment = {{"A", std::string(1, '\0')}};
            }),
            "BAD_ENVIRONMENT environment[0].value");
  EXPECT_EQ(with([](auto& spec) {
              spec.environment = {{"A", std::string(kEnvironmentBytesMax, 'x')}};
            }),
            "BAD_ENVIRONMENT environment[0]");
  EXPECT_EQ(with([](auto& spec) {
              spec.environment.resize(kEnvironmentVariablesMax + 1, {"A", "1"});
            }),
            "BAD_ENVIRONMENT environment");
  EXPECT_EQ(on.observer.started, 0);
}

TEST(ExecCoreTest, LongestCommandsRun) {
  CoreOnLoop on;
  EXPECT_EQ(Text(*on.Run("echo " + std::string(kCommandBytesMax - 5, 'x'))).size(),
            kCommandBytesMax - 4);
  CommandSpec spec = Program(std::vector<std::string>(kArgumentsMax, "x"));
  spec.argv[0] = "echo";
  EXPECT_EQ(Text(*on.Run(spec)).size(), 2 * (kArgumentsMax - 1));
  spec = Shell("echo ${#A}");
  spec.environment = {{"A", std::string(kEnvironmentBytesMax - 3, 'x')}};
  EXPECT_EQ(Text(*on.Run(spec)), absl::StrCat(kEnvironmentBytesMax - 3, "\n"));
}

// ---- Queue

TEST(ExecCoreTest, CommandsBeyondTheMaximumWaitAndThenRunInOrder) {
  CoreOnLoop on({.commands_max = 1, .queue_max = 2});
  const auto first = on.Start("echo up; sleep 600");
  const auto second = on.Start("echo second");
  const auto third = on.Start("echo third");
  EXPECT_EQ(first->state(), Job::State::kRunning);
  EXPECT_EQ(second->state(), Job::State::kQueued);
  EXPECT_EQ(second->pid(), 0);
  const auto fourth = on.core.Start(Shell("true"));
  EXPECT_TRUE(absl::IsResourceExhausted(fourth.status()));
  EXPECT_EQ(ReasonOf(fourth.status()), "TOO_MANY_COMMANDS");
  EXPECT_TRUE(RetryAfterOf(fourth.status()).has_value());

  first->Cancel();
  on.Await(third);
  EXPECT_EQ(first->outcome().kind, Kind::kCancelled);
  EXPECT_EQ(Text(*second), "second\n");
  EXPECT_EQ(Text(*third), "third\n");
  EXPECT_LE(second->outcome().end_time, third->outcome().start_time + absl::Milliseconds(1));
  EXPECT_EQ(on.core.running(), 0u);
}

TEST(ExecCoreTest, WaitingCommandIsCancelledWithoutRunning) {
  CoreOnLoop on({.commands_max = 1});
  const auto first = on.Start("sleep 600");
  const auto second = on.Start("touch ran");
  second->Cancel();
  on.RunUntil([&] { return on.observer.ended == 1 && on.observer.started == 1; });
  EXPECT_EQ(second->outcome().kind, Kind::kCancelled);
  first->Cancel();
  on.Await(first);
  EXPECT_FALSE(std::filesystem::exists(on.scratch.path() + "/ran"));
}

TEST(ExecCoreTest, AnObserverMayLeave) {
  CoreOnLoop on;
  const auto job = on.Start("echo hi");
  job->RemoveObserver(on.observer);
  on.Await(job);
  EXPECT_EQ(on.observer.ended, 0);
}

TEST(ExecCoreTest, EventsTellStartAndEnd) {
  CoreOnLoop on;
  const auto watcher = on.events.Watch();
  CommandSpec spec = Shell("exit 3");
  spec.listener = "raw";
  spec.connection_id = 17;
  const auto job = on.Run(spec);
  const auto events = watcher->Take(10).events;
  ASSERT_EQ(events.size(), 2u);
  const auto& started = std::get<observe::CommandStarted>(events[0].body);
  EXPECT_EQ(events[0].listener, "raw");
  EXPECT_EQ(events[0].connection_id, 17u);
  EXPECT_EQ(started.job_id, job->id());
  EXPECT_EQ(started.pid, job->pid());
  EXPECT_EQ(started.summary, "exit 3");
  const auto& ended = std::get<observe::CommandEnded>(events[1].body);
  EXPECT_EQ(ended.job_id, job->id());
  EXPECT_EQ(ended.outcome, "exited 3");
}

}  // namespace
}  // namespace rawgate::exec
