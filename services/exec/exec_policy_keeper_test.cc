#include "services/exec/exec_policy_keeper.h"

#include <csignal>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/base/status.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

class PolicyKeeperTest : public ::testing::Test {
 protected:
  void Write(const std::string& text) { std::ofstream(path_) << text; }
  std::string ReasonFor(const std::string& command) {
    CommandSpec spec;
    spec.shell_command = command;
    const auto job = on_.core.Start(spec);
    if (!job.ok()) return ReasonOf(job.status());
    on_.Await(*job);
    return "ran";
  }

  CoreOnLoop on_;
  const std::string path_ = on_.scratch.path() + "/policy";
  PolicyKeeper keeper_{on_.loop, on_.host, path_, {.identity = *ResolveIdentity("nobody")}};
};

TEST_F(PolicyKeeperTest, ABadFileIsAnErrorAtTheStart) {
  EXPECT_EQ(ReasonOf(keeper_.Load().status()), "ENOENT");
  Write("rules { nam }");
  EXPECT_EQ(ReasonOf(keeper_.Load().status()), "BAD_POLICY");
  Write("rules { name: \"x\" sources: \"any\" programs { path: \"/bin/echo\" } }");
  const auto policy = keeper_.Load();
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->rules().size(), 1u);
}

TEST_F(PolicyKeeperTest, WithoutAFileOnlyThisMachineMayRunAnything) {
  PolicyKeeper keeper(on_.loop, on_.host, "", {.identity = *ResolveIdentity("nobody")});
  const auto policy = keeper.Load();
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_EQ(policy->rules().size(), 1u);
  EXPECT_FALSE(policy->rules()[0]->sources.any);
}

TEST_F(PolicyKeeperTest, HangupReadsItAgainAndABadOneChangesNothing) {
  Write("rules { name: \"x\" sources: \"any\" any_command: true }");
  on_.core.SetPolicy(*keeper_.Load());
  keeper_.ReloadOnHangup(on_.core);
  EXPECT_EQ(ReasonFor("true"), "ran");

  Write("rules { name: \"x\" refuse: true sources: \"any\" }");
  raise(SIGHUP);
  on_.RunUntil([&] { return ReasonFor("true") == "POLICY_REFUSED"; });

  // Bad, then good: by when the second is in force, the first has been seen and dropped.
  Write("rules { name: ");
  raise(SIGHUP);
  on_.RunUntil([&] { return on_.loop.poll() == 0; });
  EXPECT_EQ(ReasonFor("true"), "POLICY_REFUSED");
  Write("rules { name: \"x\" sources: \"any\" programs { path: \"/bin/true\" } }");
  raise(SIGHUP);
  on_.RunUntil([&] { return ReasonFor("true") == "ran"; });
  EXPECT_EQ(ReasonFor("true; true"), "POLICY_REFUSED");
}

}  // namespace
}  // namespace rawgate::exec
