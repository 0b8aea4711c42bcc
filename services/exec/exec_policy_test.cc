#include "services/exec/exec_policy.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Commands = PolicyRule::Commands;

Caller From(absl::string_view uri) { return {.address = *net::Endpoint::Parse(uri)}; }

Caller Local() { return From("tcp://127.0.0.1:4711"); }

Caller As(rpc::Role role) {
  Caller caller = Local();
  caller.role = role;
  return caller;
}

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

std::shared_ptr<const re2::RE2> Pattern(const char* text) {
  return std::make_shared<const re2::RE2>(text);
}

// df with an option, or ls of one folder, from this machine.
PolicyRule Lookers() {
  return {.name = "lookers",
          .sources = {.local = true},
          .commands = Commands::kPrograms,
          .programs = {{.path = "/bin/df", .further_arguments = Pattern("-[hi]|/[a-z]*")},
                       {.path = "/bin/ls", .arguments = {Pattern("-l"), Pattern("/srv/.*")}}},
          .environment_names = {"LANG"},
          .folders = {"/srv"}};
}

// What is run; the reason where nothing is.
std::vector<std::string> Check(const Policy& policy, const CommandSpec& spec,
                               const Caller& caller = Local()) {
  const absl::StatusOr<Permit> permit = policy.Check(spec, caller);
  if (permit.ok()) return permit->argv;
  return {ReasonOf(permit.status())};
}

TEST(PolicyTest, WithoutOneThisMachineMayRunAnythingAndNobodyElse) {
  const Policy policy = Policy::LocalOnly({}, Sandbox::kNone);
  EXPECT_THAT(Check(policy, Shell("rm -rf x; y")), ElementsAre("/bin/sh", "-c", "rm -rf x; y"));
  EXPECT_THAT(Check(policy, Program({"ls"}), From("tcp://[::1]:1")), ElementsAre("ls"));
  EXPECT_THAT(Check(policy, Program({"ls"}), From("unix:///run/x.sock")), ElementsAre("ls"));
  EXPECT_THAT(Check(policy, Program({"ls"}), From("tcp://192.0.2.1:1")),
              ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"ls"}), Caller{}), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(Policy({}), Program({"ls"})), ElementsAre("POLICY_REFUSED"));
}

TEST(PolicyTest, ProgramsAreFoundByTheirPathOrTheirNameAndRunByTheirPath) {
  const Policy policy({Lookers()});
  EXPECT_THAT(Check(policy, Program({"/bin/df"})), ElementsAre("/bin/df"));
  EXPECT_THAT(Check(policy, Program({"df", "-h", "/srv"})), ElementsAre("/bin/df", "-h", "/srv"));
  for (const char* other : {"/usr/bin/df", "./df", "bin/df", "d", "dff", "/bin/df ", "/bin//df"})
    EXPECT_THAT(Check(policy, Program({other})), ElementsAre("POLICY_REFUSED")) << other;
}

TEST(PolicyTest, ArgumentsMatchAsAWhole) {
  const Policy policy({Lookers()});
  EXPECT_THAT(Check(policy, Program({"df", "-hx"})), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"df", "x-h"})), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"df", ""})), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"ls", "-l", "/srv/a b"})),
              ElementsAre("/bin/ls", "-l", "/srv/a b"));
  EXPECT_THAT(Check(policy, Program({"ls", "-l"})), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"ls"})), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"ls", "-l", "/srv/", "/etc"})), ElementsAre("POLICY_REFUSED"));
}

TEST(PolicyTest, PlainShellTextIsTheProgramThatItWouldRun) {
  const Policy policy({Lookers()});
  EXPECT_THAT(Check(policy, Shell("df -h")), ElementsAre("/bin/df", "-h"));
  EXPECT_THAT(Check(policy, Shell("  ls\t-l   /srv/x ")), ElementsAre("/bin/ls", "-l", "/srv/x"));
  for (const char* text :
       {"df -h; id", "df -h\nid", "df $(id)", "df `id`", "df > /srv/x", "df | id", "df & id",
        "df -h #", "df '-h'", "LD_PRELOAD=/srv/x.so df", "df /s*", "df ~", "(df)", "", "  "})
    EXPECT_THAT(Check(policy, Shell(text)), ElementsAre("POLICY_REFUSED")) << text;
}

TEST(PolicyTest, EnvironmentAndFolderAreLimitedWithPrograms) {
  const Policy policy({Lookers()});
  CommandSpec spec = Program({"df"});
  spec.environment = {{"LANG", "C"}};
  EXPECT_THAT(Check(policy, spec), ElementsAre("/bin/df"));
  for (const char* name : {"LD_PRELOAD", "PATH", "LANGUAGE", "lang"}) {
    spec.environment = {{"LANG", "C"}, {name, "x"}};
    EXPECT_THAT(Check(policy, spec), ElementsAre("POLICY_REFUSED")) << name;
  }
  spec.environment.clear();
  for (const char* folder : {"/srv", "/srv/a", "/srv/a/b", "/srv/a..b"}) {
    spec.folder = folder;
    EXPECT_THAT(Check(policy, spec), ElementsAre("/bin/df")) << folder;
  }
  for (const char* folder : {"/", "/srvx", "/etc", "/srv/../etc", "/srv/a/.."}) {
    spec.folder = folder;
    EXPECT_THAT(Check(policy, spec), ElementsAre("POLICY_REFUSED")) << folder;
  }
}

TEST(PolicyTest, TheFirstRuleThatFitsDecides) {
  PolicyRule net = {.name = "net", .commands = Commands::kNone};
  net.sources.networks = {*net::Network::Parse("10.1.0.0/16")};
  PolicyRule anybody = {.name = "anybody", .sources = {.any = true}};
  const Policy policy({net, Lookers(), anybody});
  EXPECT_THAT(Check(policy, Program({"id"}), From("tcp://10.1.2.3:1")),
              ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Program({"id"}), From("tcp://10.2.2.3:1")), ElementsAre("id"));
  EXPECT_EQ(policy.Check(Program({"df"}), Local())->rule->name, "lookers");
  EXPECT_EQ(policy.Check(Program({"id"}), Local())->rule->name, "anybody");
  EXPECT_EQ(policy.Check(Program({"id"}), Caller{})->rule->name, "anybody");
}

TEST(PolicyTest, RolesAreOfTypedCallsAlone) {
  PolicyRule rule = {.name = "executors", .sources = {.local = true}};
  rule.least_role = rpc::Role::kExecutor;
  const Policy policy({rule});
  EXPECT_THAT(Check(policy, Shell("id")), ElementsAre("POLICY_REFUSED"));
  EXPECT_THAT(Check(policy, Shell("id"), As(rpc::Role::kOperator)), ElementsAre("POLICY_REFUSED"));
  EXPECT_EQ(Check(policy, Shell("id"), As(rpc::Role::kExecutor)).size(), 3u);
  EXPECT_EQ(Check(policy, Shell("id"), As(rpc::Role::kAdmin)).size(), 3u);
}

TEST(PolicyTest, TimeoutIsTheRulesAtMost) {
  PolicyRule rule = {.name = "short", .sources = {.local = true}};
  rule.timeout_max = absl::Seconds(5);
  const Policy policy({rule});
  CommandSpec spec = Shell("id");
  spec.timeout = absl::Seconds(5);
  EXPECT_EQ(Check(policy, spec).size(), 3u);
  spec.timeout = absl::Seconds(6);
  EXPECT_THAT(Check(policy, spec), ElementsAre("BAD_TIMEOUT"));
}

TEST(PolicyTest, LongArgumentsAreNotMatched) {
  PolicyRule rule = Lookers();
  rule.programs = {{.path = "/bin/x", .further_arguments = Pattern("a*")}};
  const Policy policy({rule});
  EXPECT_EQ(Check(policy, Program({"x", std::string(4096, 'a')})).size(), 2u);
  EXPECT_THAT(Check(policy, Program({"x", std::string(4097, 'a')})), ElementsAre("POLICY_REFUSED"));
}

TEST(PolicyTest, TheSameRunIsByTheSameRuleAsTheSameUser) {
  PolicyRule rule = Lookers();
  const auto permit = [](const PolicyRule& by) {
    return Permit{.rule = std::make_shared<const PolicyRule>(by), .argv = {}};
  };
  EXPECT_TRUE(SameRun(permit(rule), permit(rule)));
  PolicyRule other = rule;
  other.name = "other";
  EXPECT_FALSE(SameRun(permit(rule), permit(other)));
  other = rule;
  other.identity.name = "other";
  EXPECT_FALSE(SameRun(permit(rule), permit(other)));
  other = rule;
  other.sandbox = Sandbox::kLandlock;
  EXPECT_FALSE(SameRun(permit(rule), permit(other)));
}

TEST(PolicyTest, TellsWhatItsRulesHaveInCommon) {
  const auto rule = [](const std::string& user, uid_t uid, Sandbox sandbox) {
    return PolicyRule{.sources = {.any = true},
                      .identity = {.change = true, .user = uid, .name = user},
                      .sandbox = sandbox};
  };
  PolicyRule refuses = rule("root", 0, Sandbox::kNone);
  refuses.commands = PolicyRule::Commands::kNone;
  const Confinement one =
      ConfinementBy(Policy({rule("build", 7, Sandbox::kBubblewrap), std::move(refuses)}));
  EXPECT_EQ(one.sandbox, Sandbox::kBubblewrap);
  EXPECT_EQ(one.user, "build");
  EXPECT_FALSE(one.root);
  const Confinement two = ConfinementBy(
      Policy({rule("build", 7, Sandbox::kBubblewrap), rule("root", 0, Sandbox::kLandlock)}));
  EXPECT_EQ(two.sandbox, Sandbox::kLandlock);
  EXPECT_EQ(two.user, "");
  EXPECT_TRUE(two.root);
  EXPECT_EQ(ConfinementBy(Policy({})).sandbox, std::nullopt);
}

TEST(PolicyTest, RefusalsSayWhatToLookAt) {
  EXPECT_EQ(Policy({}).Check(Shell("id"), Local()).status().message(),
            "no rule of the policy lets tcp://127.0.0.1:4711 run this");
  PolicyRule none = {.name = "closed", .sources = {.any = true}, .commands = Commands::kNone};
  EXPECT_EQ(Policy({none}).Check(Shell("id"), Local()).status().message(),
            "the policy's rule \"closed\" refuses this");
}

TEST(PlainWordsTest, AreWhatAShellTakesAsTheyAre) {
  EXPECT_THAT(PlainWords("a-b.c_d/e:f,g+h@i%j A=1 9"),
              ElementsAre("a-b.c_d/e:f,g+h@i%j", "A=1", "9"));
  for (const char c : {'~', '*', '?', '[', '{', '!', '$',  '`',  '"', '\'',   '\\',  '<',
                       '>', '|', '&', ';', '(', '#', '\n', '\r', '^', '\x7f', '\xc3'})
    EXPECT_THAT(PlainWords(absl::StrCat("echo a", std::string(1, c))), IsEmpty()) << c;
}

}  // namespace
}  // namespace rawgate::exec
