#include "services/exec/exec_core.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"
#include "services/exec/exec_core_testing.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using Kind = Outcome::Kind;

// ---- Each outcome
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
