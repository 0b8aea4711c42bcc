// Commands with descendants, and that nothing is left of them.
#pragma once

#include <sys/wait.h>

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/exec/exec_cgroup.h"
#include "services/exec/exec_process.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {

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

inline std::shared_ptr<Job> StartAndAwaitSleepers(CoreOnLoop& on, const std::string& shell_command,
                                                  const std::string& length, size_t count) {
  const auto job = on.Start(shell_command);
  on.RunUntil([&] { return SleepersFor(length).size() == count; });
  return job;
}

// A launcher whose cgroup was killed goes, too, and is reaped a little later.
inline void ExpectOnlyLaunchersAreLeft(CoreOnLoop& on) {
  if (ProcessTest::GetParam()) on.RunUntil(OnlyLaunchersAreLeft);
  EXPECT_TRUE(OnlyLaunchersAreLeft());
}

inline void CancelAndExpectNothingLeft(CoreOnLoop& on, const std::shared_ptr<Job>& job,
                                       const std::string& length) {
  job->Cancel();
  on.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kCancelled);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  ExpectOnlyLaunchersAreLeft(on);
}

}  // namespace rawgate::exec
