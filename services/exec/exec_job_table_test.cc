// What is remembered of jobs, and for how long; output that is kept in part.
#include "services/exec/exec_job_table.h"

#include <sys/stat.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "runtime/base/status.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

std::string RunAndForget(CoreOnLoop& on, const std::string& command) {
  return on.Run(command)->id();
}

TEST(JobTableTest, TheLastAreRemembered) {
  CoreOnLoop on({.history = {.jobs_max = 2}});
  const std::string first = RunAndForget(on, "echo 1");
  const std::string second = RunAndForget(on, "echo 2");
  const std::string third = RunAndForget(on, "echo 3");
  EXPECT_EQ(ReasonOf(on.core.Find(first, {}).status()), "NO_SUCH_JOB");
  EXPECT_EQ(Text(**on.core.Find(second, {})), "2\n");
  EXPECT_EQ(Text(**on.core.Find(third, {})), "3\n");
  EXPECT_EQ(on.core.List(UINT64_MAX, 10, false).size(), 2u);
}

TEST(JobTableTest, OutputThatNobodyHoldsIsLetGoTheOldestFirst) {
  CoreOnLoop on({.history = {.memory_max = 10}});
  const std::string first = RunAndForget(on, "printf 12345678");
  const auto held = on.Run("printf 12345678");
  const std::string third = RunAndForget(on, "printf 123456");
  const auto letgo = *on.core.Find(first, {});
  EXPECT_EQ(letgo->output(OutputStream::kStdout).size(), 0u);
  EXPECT_EQ(letgo->output_size(OutputStream::kStdout), 8u);
  EXPECT_EQ(letgo->kept_from(OutputStream::kStdout), 8u);
  EXPECT_EQ(letgo->outcome().exit_code, 0);
  EXPECT_EQ(Text(*held), "12345678");
  EXPECT_EQ(Text(**on.core.Find(third, {})), "123456");
}

TEST(JobTableTest, FilesHaveALimitOfTheirOwn) {
  CoreOnLoop on({.history = {.memory_max = 0, .file_max = 5 << 20}});
  const std::string first = RunAndForget(on, "head -c 3000000 /dev/zero");
  EXPECT_EQ((*on.core.Find(first, {}))->kept_from(OutputStream::kStdout), 0u);
  const std::string second = RunAndForget(on, "head -c 3000000 /dev/zero");
  EXPECT_EQ((*on.core.Find(first, {}))->kept_from(OutputStream::kStdout), 3000000u);
  EXPECT_EQ((*on.core.Find(second, {}))->kept_from(OutputStream::kStdout), 0u);
}

TEST(JobTableTest, ARequestIsTheSameAsLongAsItsJobIsKnown) {
  CoreOnLoop on({.history = {.jobs_max = 1}});
  CommandSpec spec;
  spec.shell_command = "echo $$";
  spec.request_id = "name";
  const std::string first = on.Run(spec)->id();
  EXPECT_EQ(on.Run(spec)->id(), first);
  RunAndForget(on, "true");
  EXPECT_NE(on.Run(spec)->id(), first);
}

// ---- Output without end

class EndlessOutput : public JobObserver {
 public:
  explicit EndlessOutput(uint64_t needs) : needs_(needs) {}
  void OnJobEnded(Job&) override {}
  uint64_t Needs(OutputStream) const override { return needs_; }
  void ReadTo(Job& job, uint64_t offset) {
    needs_ = offset;
    job.ObserverReadOn();
  }

 private:
  uint64_t needs_;
};

CommandSpec CountForEver() {
  CommandSpec spec;
  // Lines of eight bytes, so that each offset has its own.
  spec.shell_command = "seq -f %07.0f 0 99999999";
  spec.keep_last = true;
  return spec;
}

TEST(KeepLastTest, TheLastIsKeptWhenNobodyReads) {
  CoreOnLoop on({.keep_last = 2 << 20});
  const auto job = on.Start(CountForEver());
  on.RunUntil([&] { return job->output_size(OutputStream::kStdout) > 64 << 20; });
  const Output& output = job->output(OutputStream::kStdout);
  EXPECT_GE(output.size() - output.kept_from(), 2u << 20);
  EXPECT_LE(output.size() - output.kept_from(), 16u << 20);
  const uint64_t line = (output.kept_from() + 7) / 8;
  EXPECT_EQ(*output.Read(line * 8, 8), absl::StrFormat("%07d\n", line));
  struct stat status;
  ASSERT_EQ(fstat(output.file(), &status), 0);
  EXPECT_LE(static_cast<uint64_t>(status.st_blocks) * 512, 24u << 20);
  job->Cancel();
  on.Await(job);
}

TEST(KeepLastTest, TheCommandWaitsForItsSlowestReader) {
  CoreOnLoop on({.keep_last = 2 << 20});
  const auto job = on.Start(CountForEver());
  EndlessOutput slow(0);
  EndlessOutput fast(0);
  job->AddObserver(slow);
  job->AddObserver(fast);
  const Output& output = job->output(OutputStream::kStdout);
  on.RunUntil([&] { return output.size() == 2 << 20; });
  fast.ReadTo(*job, 1 << 20);
  EXPECT_EQ(output.kept_from(), 0u);
  slow.ReadTo(*job, 3 << 19);
  on.RunUntil([&] { return output.size() == 3 << 20; });
  EXPECT_EQ(*output.Read(1 << 20, 8), absl::StrFormat("%07d\n", (1 << 20) / 8));
  // Without the readers it runs on.
  job->RemoveObserver(slow);
  job->RemoveObserver(fast);
  on.RunUntil([&] { return output.size() > 32 << 20; });
  job->Cancel();
  on.Await(job);
}

TEST(KeepLastTest, TheEndIsNotLostWhileAReaderIsSlow) {
  CoreOnLoop on({.keep_last = 2 << 20});
  CommandSpec spec = CountForEver();
  spec.shell_command = "head -c 2500000 /dev/zero";
  const auto job = on.Start(spec);
  EndlessOutput slow(0);
  job->AddObserver(slow);
  on.Await(job);
  EXPECT_EQ(job->output_size(OutputStream::kStdout), 2500000u);
  EXPECT_FALSE(job->outcome().output_may_be_incomplete);
}

}  // namespace
}  // namespace rawgate::exec
