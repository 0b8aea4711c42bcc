#include "services/exec/exec_policy_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Commands = PolicyRule::Commands;

absl::StatusOr<Policy> Parse(absl::string_view text) {
  return ParsePolicy(text, "p", {.identity = *ResolveIdentity("nobody")});
}

std::string Fault(absl::string_view text) {
  const absl::StatusOr<Policy> policy = Parse(text);
  if (policy.ok()) return "none";
  EXPECT_EQ(ReasonOf(policy.status()), "BAD_POLICY");
  return std::string(policy.status().message());
}

TEST(PolicyFileTest, ReadsAllThatARuleMaySay) {
  const auto policy = Parse(R"(
    rules {
      name: "lookers"
      sources: "local"
      sources: "10.0.0.0/8"
      least_role: ROLE_OPERATOR
      programs { path: "/bin/df" arguments: "-h" further_arguments: "/.*" }
      environment_names: "LANG"
      folders: "/srv"
      limits {
        cpu_time { seconds: 5 } address_space_bytes: 1000000000 open_files: 64 processes: 100
        file_size_bytes: 4096 timeout { seconds: 10 } output_bytes: 1000
      }
      sandbox: SANDBOX_LANDLOCK
    }
    rules { name: "rest" sources: "any" refuse: true })");
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_EQ(policy->rules().size(), 2u);
  const PolicyRule& rule = *policy->rules()[0];
  EXPECT_TRUE(rule.sources.local);
  EXPECT_FALSE(rule.sources.any);
  EXPECT_EQ(rule.sources.networks.size(), 1u);
  EXPECT_EQ(rule.least_role, rpc::Role::kOperator);
  EXPECT_EQ(rule.commands, Commands::kPrograms);
  EXPECT_THAT(rule.environment_names, ElementsAre("LANG"));
  EXPECT_THAT(rule.folders, ElementsAre("/srv"));
  EXPECT_EQ(rule.limits.cpu_seconds, 5u);
  EXPECT_EQ(rule.limits.address_space_bytes, 1'000'000'000u);
  EXPECT_EQ(rule.limits.open_files, 64u);
  EXPECT_EQ(rule.limits.processes, 100u);
  EXPECT_EQ(rule.limits.file_size_bytes, 4096u);
  EXPECT_EQ(rule.timeout_max, absl::Seconds(10));
  EXPECT_EQ(rule.output_max, 1000u);
  EXPECT_EQ(rule.sandbox, Sandbox::kLandlock);
  EXPECT_EQ(rule.identity.name, ResolveIdentity("nobody")->name);
  EXPECT_EQ(policy->rules()[1]->commands, Commands::kNone);
  EXPECT_TRUE(policy->rules()[1]->sources.any);
}

TEST(PolicyFileTest, WhatARuleDoesNotSayIsAsTheServiceWasStarted) {
  const auto policy =
      ParsePolicy(R"(rules { name: "x" any_command: true })", "p",
                  {.identity = *ResolveIdentity("nobody"), .sandbox = Sandbox::kLandlock});
  ASSERT_TRUE(policy.ok()) << policy.status();
  const PolicyRule& rule = *policy->rules()[0];
  EXPECT_TRUE(rule.sources.local);
  EXPECT_FALSE(rule.sources.any);
  EXPECT_EQ(rule.least_role, std::nullopt);
  EXPECT_EQ(rule.sandbox, Sandbox::kLandlock);
  EXPECT_EQ(rule.timeout_max, absl::InfiniteDuration());
  EXPECT_EQ(rule.output_max, UINT64_MAX);
  EXPECT_EQ(
      Parse(R"(rules { name: "x" any_command: true sandbox: SANDBOX_NONE })")->rules()[0]->sandbox,
      Sandbox::kNone);
  EXPECT_TRUE(Parse("")->rules().empty());
  EXPECT_TRUE(Parse("# nothing may run\n")->rules().empty());
}

TEST(PolicyFileTest, FaultsSayWhere) {
  EXPECT_THAT(Fault("rules {\n  nam: \"x\"\n}"), StartsWith("p:2:"));
  EXPECT_THAT(Fault("rules {\n"), StartsWith("p:2:"));
  EXPECT_THAT(Fault("rules { name: 7 }"), StartsWith("p:1:"));
  const std::string rule = "rules {\n  name: \"x\"\n  ";
  EXPECT_THAT(Fault(rule + "any_command: true\n  sources: \"local\"\n  sources: \"10.1\"\n}"),
              StartsWith("p:5:3: neither local nor any: "));
  EXPECT_THAT(Fault(rule + "}"), StartsWith("p:2:3: a rule has one of"));
  EXPECT_THAT(Fault(rule + "any_command: true refuse: true }"), StartsWith("p:2:3: a rule has"));
  EXPECT_THAT(Fault(rule + "programs {\n path: \"df\" } }"), StartsWith("p:4:2: a program needs"));
  EXPECT_THAT(Fault(rule + "programs {\n path: \"/bin/df\"\n arguments: \"(\" } }"),
              StartsWith("p:5:2: \"(\": missing )"));
  EXPECT_THAT(Fault(rule + "any_command: true\n run_as: \"no-such-user-here\" }"),
              StartsWith("p:4:2: "));
  EXPECT_THAT(Fault(rule + "any_command: true\n folders: \"srv\" }"), StartsWith("p:4:2: "));
  for (const char* limits : {"timeout { }", "timeout { seconds: -1 }", "open_files: 2",
                             "cpu_time { seconds: 1 nanos: 5 }"}) {
    EXPECT_THAT(Fault(absl::StrCat(rule, "any_command: true\n limits {\n", limits, "} }")),
                StartsWith("p:5:1: "))
        << limits;
  }
}

TEST(PolicyFileTest, FaultsInListsAndOfWhatIsMissingSayWhereToo) {
  const std::string rule = "rules {\n  name: \"x\"\n  ";
  EXPECT_THAT(Fault(rule + "refuse: true\n  sources: [\"local\",\n \"bogus\"]\n}"),
              StartsWith("p:4:"));
  EXPECT_THAT(Fault(rule + "programs { }\n}"), StartsWith("p:3:3: a program needs"));
  EXPECT_THAT(Fault("\nrules { }"), HasSubstr("p:2:1: a rule has one of"));
  EXPECT_THAT(Fault("rules: [\n{ name: \"x\" refuse: true },\n{ name: \"y\" }]"),
              ::testing::Not(StartsWith("p:1:1")));
}

TEST(PolicyFileTest, WhatIsLessThanItSeemsIsRefused) {
  const std::string rule = "rules {\n  name: \"x\"\n  any_command: true\n";
  EXPECT_THAT(Fault(rule + "sandbox: 4 }"), StartsWith("p:4:1: no such sandbox"));
  EXPECT_THAT(Fault(rule + "least_role: -1 }"), StartsWith("p:4:1: no such role"));
  // Time to match grows with both.
  EXPECT_THAT(Fault("rules { name: \"x\" programs { path: \"/bin/x\" arguments: "
                    "\"(.*[ab].{0,900}c)?\" } }"),
              HasSubstr("too large a pattern"));
  if (geteuid() != 0) {
    EXPECT_THAT(Fault(rule + "run_as: \"nobody\" }"), HasSubstr("it would run as"));
  }
}

TEST(PolicyFileTest, FoldersMayEndInASlash) {
  EXPECT_THAT(Parse("rules { name: \"x\" any_command: true folders: \"/srv/\" folders: \"/\" }")
                  ->rules()[0]
                  ->folders,
              ElementsAre("/srv", "/"));
}

TEST(PolicyFileTest, NamesAreThereAndUnlike) {
  EXPECT_THAT(Fault("rules { any_command: true }"), HasSubstr("no name"));
  EXPECT_THAT(Fault("rules { name: \"x\" refuse: true }\nrules { name: \"x\" refuse: true }"),
              StartsWith("p:2:9: another rule"));
}

TEST(PolicyFileTest, TellsAllFaultsUpToABound) {
  std::string text;
  for (int i = 0; i < 25; ++i) absl::StrAppend(&text, "rules { name: \"", i, "\" }\n");
  const std::string fault = Fault(text);
  EXPECT_THAT(fault, HasSubstr("p:1:9: "));
  EXPECT_THAT(fault, HasSubstr("p:20:9: "));
  EXPECT_THAT(fault, HasSubstr("\nand 5 more"));
}

TEST(PolicyFileTest, HasBounds) {
  std::string text;
  for (size_t i = 0; i <= kPolicyRulesMax; ++i)
    absl::StrAppend(&text, "rules { name: \"", i, "\" refuse: true }\n");
  EXPECT_THAT(Fault(text), StartsWith("p:1001:"));
  const ScratchFolder scratch;
  const std::string path = scratch.path() + "/policy";
  EXPECT_EQ(ReasonOf(ReadPolicy(path, {}).status()), "ENOENT");
  std::ofstream(path) << "# " << std::string(kPolicyBytesMax, 'x');
  EXPECT_EQ(ReasonOf(ReadPolicy(path, {}).status()), "BAD_POLICY");
  std::ofstream(path) << "rules { name: \"x\" refuse: true }";
  EXPECT_EQ(ReadPolicy(path, {})->rules().size(), 1u);
  std::filesystem::permissions(path, std::filesystem::perms::all);
  EXPECT_EQ(ReasonOf(ReadPolicy(path, {}).status()), "BAD_POLICY");
  const std::string pipe = scratch.path() + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(ReasonOf(ReadPolicy(pipe, {}).status()), "BAD_POLICY");
}

}  // namespace
}  // namespace rawgate::exec
