// What a command in a sandbox can do, and what becomes of it.
#include "services/exec/exec_sandbox.h"

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/exec/exec_sandbox_trial.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {
namespace {

using Kind = Outcome::Kind;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

absl::Status Try(CoreOnLoop& on, Sandbox sandbox) {
  std::optional<absl::Status> result;
  TrySandboxes(on.host, Policy({AnybodyMay(sandbox)}),
               [&](const absl::Status& status) { result = status; });
  on.RunUntil([&] { return result.has_value(); });
  return *result;
}

// Folders of commands that are there. What is in them may be being removed, and is not looked at.
std::vector<std::string> OwnFoldersIn(const std::string& parent) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(parent)) {
    if (!entry.is_directory()) continue;
    for (const auto& own : std::filesystem::directory_iterator(entry.path()))
      found.push_back(own.path().string());
  }
  return found;
}

class SandboxTest : public ::testing::TestWithParam<Sandbox> {
 protected:
  void SetUp() override {
    if (const absl::Status works = Try(on_, GetParam()); !works.ok())
      GTEST_SKIP() << works.message();
    on_.core.SetPolicy(Policy({AnybodyMay(GetParam())}));
    // Somebody's files, which only the sandbox keeps it from.
    std::filesystem::create_directory(on_.scratch.path() + "/outside");
    std::filesystem::permissions(on_.scratch.path() + "/outside", std::filesystem::perms::all);
  }
  std::string Outside(absl::string_view name) const {
    return absl::StrCat(on_.scratch.path(), "/outside/", name);
  }

  CoreOnLoop on_;
};

INSTANTIATE_TEST_SUITE_P(Levels, SandboxTest,
                         ::testing::Values(Sandbox::kLandlock, Sandbox::kBubblewrap),
                         [](const auto& level) { return std::string(SandboxName(level.param)); });

TEST_P(SandboxTest, WritesInAFolderOfItsOwnAlone) {
  const auto job = on_.Run(absl::StrCat(
      "pwd; echo $HOME; echo $TMPDIR; echo kept > here && cat here; echo > /dev/null && echo null; "
      "mkdir -p a/b && mv here a/b/ && ln -s a link && rm -r a && echo changed; "
      "echo x > ",
      Outside("new"), " || echo refused"));
  const std::string out = Text(*job);
  const std::string own = out.substr(0, out.find('\n'));
  EXPECT_EQ(out, absl::StrCat(own, "\n", own, "\n", own, "\nkept\nnull\nchanged\nrefused\n"))
      << Text(*job, OutputStream::kStderr);
  EXPECT_THAT(own, StartsWith(on_.scratch.path()));
  EXPECT_FALSE(std::filesystem::exists(Outside("new")));
}

TEST_P(SandboxTest, ChangesNothingOutside) {
  const std::string file = Outside("file");
  // Made by the same user, so that rights alone would not keep it.
  on_.core.SetPolicy(AnythingForAnybody());
  ASSERT_EQ(on_.Run(absl::StrCat("echo precious > ", file))->outcome().exit_code, 0);
  on_.core.SetPolicy(Policy({AnybodyMay(GetParam())}));
  for (const std::string& attempt :
       {absl::StrCat("echo x > ", file), absl::StrCat("echo x >> ", file),
        absl::StrCat("truncate -s 0 ", file), absl::StrCat("rm ", file),
        absl::StrCat("mv ", file, " ."), absl::StrCat("mv ", file, " ", file, "2"),
        absl::StrCat("ln ", file, " . && echo x > file"), absl::StrCat("mkdir ", file, ".d")}) {
    EXPECT_NE(on_.Run(attempt)->outcome().exit_code, 0) << attempt;
  }
  on_.core.SetPolicy(AnythingForAnybody());
  EXPECT_EQ(Text(*on_.Run("cat " + file)), "precious\n");
}

TEST_P(SandboxTest, ItsFolderGoesWithIt) {
  const auto job = on_.Run("mkdir -p a/b/c && echo x > a/b/c/d && chmod 0 a/b && chmod 0 a; pwd");
  ASSERT_EQ(job->outcome().kind, Kind::kExited);
  on_.RunUntil([&] { return OwnFoldersIn(on_.scratch.path()).empty(); });
  // What a command that is ended leaves, too.
  const std::string length = UniqueLength();
  const auto sleeper = on_.Start(absl::StrCat("echo x > file; setsid sleep ", length));
  on_.RunUntil([&] { return SleepersFor(length).size() == 1; });
  EXPECT_FALSE(OwnFoldersIn(on_.scratch.path()).empty());
  sleeper->Cancel();
  on_.Await(sleeper);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  on_.RunUntil([&] { return OwnFoldersIn(on_.scratch.path()).empty(); });
}

TEST_P(SandboxTest, OutcomesAreTheCommandsOwn) {
  EXPECT_EQ(on_.Run("exit 137")->outcome().kind, Kind::kExited);
  EXPECT_EQ(on_.Run("exit 137")->outcome().exit_code, 137);
  const auto killed = on_.Run("kill -KILL $$");
  EXPECT_EQ(killed->outcome().kind, Kind::kSignalled);
  EXPECT_EQ(killed->outcome().signal, SIGKILL);
  CommandSpec spec;
  spec.argv = {"no-such-program-here"};
  const auto missing = on_.Run(spec);
  EXPECT_EQ(missing->outcome().kind, Kind::kStartFailed);
  EXPECT_EQ(missing->outcome().errno_value, ENOENT);
  EXPECT_EQ(missing->outcome().message, "exec: No such file or directory");
  EXPECT_EQ(Text(*missing, OutputStream::kStderr), "");
}

TEST_P(SandboxTest, SignalsReachTheCommand) {
  const std::string length = UniqueLength();
  const auto job =
      on_.Start(absl::StrCat("trap 'echo had TERM; exit 7' TERM; sleep ", length, " & wait"));
  on_.RunUntil([&] { return SleepersFor(length).size() == 1 && job->pid() != 0; });
  bool sent = false;
  job->Signal(SIGTERM, /*all=*/true, [&](const absl::Status& status) { sent = status.ok(); });
  on_.Await(job);
  EXPECT_TRUE(sent);
  EXPECT_EQ(job->outcome().kind, Kind::kExited);
  EXPECT_EQ(job->outcome().exit_code, 7);
  EXPECT_EQ(Text(*job), "had TERM\n");
}

TEST_P(SandboxTest, OneSignalIsForTheFirstProcess) {
  const std::string length = UniqueLength();
  // The sleeper does not get it, and is ended with what is left.
  const auto job = on_.Start(absl::StrCat("sleep ", length, " & wait; echo not this"));
  on_.RunUntil([&] { return SleepersFor(length).size() == 1 && job->pid() != 0; });
  job->Signal(SIGUSR2, /*all=*/false, [](const absl::Status&) {});
  on_.Await(job);
  EXPECT_EQ(job->outcome().kind, Kind::kSignalled);
  EXPECT_EQ(job->outcome().signal, SIGUSR2);
  EXPECT_EQ(Text(*job), "");
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

TEST_P(SandboxTest, EnvironmentIsTheRequests) {
  CommandSpec spec;
  spec.argv = {"/usr/bin/env"};
  spec.environment = {{"HOME", "/srv"}, {"LD_PRELOAD", "/nonexistent.so"}, {"SECRET", "a b"}};
  const auto job = on_.Run(spec);
  const std::string out = Text(*job);
  EXPECT_THAT(out, HasSubstr("HOME=/srv\n"));
  EXPECT_THAT(out, HasSubstr("SECRET=a b\n"));
  EXPECT_THAT(out, HasSubstr(absl::StrCat("RAWGATE_JOB_ID=", job->id(), "\n")));
  EXPECT_THAT(out, HasSubstr("TMPDIR=" + on_.scratch.path()));
}

TEST_P(SandboxTest, TakesInputAndAFolder) {
  CommandSpec spec;
  spec.argv = {"cat"};
  spec.input = "through\n";
  EXPECT_EQ(Text(*on_.Run(spec)), "through\n");
  spec.argv = {"pwd"};
  spec.folder = "/usr";
  EXPECT_EQ(Text(*on_.Run(spec)), "/usr\n");
}

TEST_P(SandboxTest, HasATerminalIfAskedFor) {
  CommandSpec spec;
  spec.shell_command = "test -t 0 && test -t 1 && stty size && echo $TERM";
  spec.terminal = WindowSize{.rows = 33, .columns = 99};
  EXPECT_EQ(Text(*on_.Run(spec)), "33 99\r\nxterm-256color\r\n");
}

TEST_P(SandboxTest, KeepsNoDescriptorAndNoEnvironmentOfWhatHasEnded) {
  on_.Run("true");
  const size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 20; ++i) on_.Run("true");
  on_.RunUntil([&] { return OpenDescriptors() <= descriptors; });
}

TEST_P(SandboxTest, AFolderThatIsMissingIsWhatIsSaid) {
  CommandSpec spec;
  spec.argv = {"true"};
  spec.folder = "/no/such/folder";
  EXPECT_EQ(on_.Run(spec)->outcome().message, "working folder: No such file or directory");
}

TEST_P(SandboxTest, OwnFoldersAreMadeAgain) {
  ASSERT_EQ(on_.Run("true")->outcome().kind, Kind::kExited);
  on_.RunUntil([&] { return OwnFoldersIn(on_.scratch.path()).empty(); });
  for (const auto& entry : std::filesystem::directory_iterator(on_.scratch.path()))
    std::filesystem::remove_all(entry.path());
  EXPECT_EQ(on_.Run("true")->outcome().kind, Kind::kExited);
}

class BubblewrapTest : public SandboxTest {};

INSTANTIATE_TEST_SUITE_P(Levels, BubblewrapTest, ::testing::Values(Sandbox::kBubblewrap));

TEST_P(BubblewrapTest, SeesNoOtherProcessAndNoNetwork) {
  const auto job = on_.Run("ls -d /proc/[0-9]* | wc -l; cut -d: -f1 < /proc/net/dev | tail -n +3");
  // The init of its namespace, rawgate-exec-inner, the shell, and its two.
  EXPECT_THAT(Text(*job), ::testing::AnyOf(StartsWith("4\n"), StartsWith("5\n")));
  EXPECT_THAT(Text(*job), HasSubstr("lo\n"));
  EXPECT_THAT(Text(*job), ::testing::Not(HasSubstr("eth")));
}

TEST_P(BubblewrapTest, RootIsNoMoreThanOthersInThere) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs commands as root";
  PolicyRule rule = AnybodyMay(Sandbox::kBubblewrap);
  rule.identity = *ResolveIdentity("root");
  on_.core.SetPolicy(Policy({rule}));
  const auto job = on_.Run(
      absl::StrCat("grep CapEff /proc/self/status; mount -o remount,rw,bind / ; umount /tmp; "
                   "unshare -Urm true; echo x > ",
                   Outside("new")));
  EXPECT_EQ(Text(*job), "CapEff:\t0000000000000000\n");
  EXPECT_FALSE(std::filesystem::exists(Outside("new")));
}

TEST_P(BubblewrapTest, WhatKillsAllOfItIsASignal) {
  const auto job = on_.Run("echo important; kill -KILL -1");
  EXPECT_EQ(job->outcome().kind, Kind::kSignalled);
  EXPECT_EQ(Text(*job), "important\n");
}

TEST(SandboxTrialTest, OneThatDoesNotWorkIsAnError) {
  if (geteuid() != 0) GTEST_SKIP() << "only root runs commands as somebody else";
  CoreOnLoop on;
  // Nobody else may enter it.
  std::filesystem::permissions(on.scratch.path(), std::filesystem::perms::none);
  const absl::Status result = Try(on, Sandbox::kLandlock);
  EXPECT_EQ(ReasonOf(result), "NO_SANDBOX");
  const std::string message(result.message());
  EXPECT_THAT(message, StartsWith("sandbox landlock as "));
  EXPECT_THAT(message, HasSubstr("working folder: Permission denied"));
}

TEST(SandboxFlagTest, Text) {
  Sandbox sandbox = Sandbox::kNone;
  std::string error;
  EXPECT_TRUE(AbslParseFlag("landlock", &sandbox, &error));
  EXPECT_EQ(sandbox, Sandbox::kLandlock);
  EXPECT_EQ(AbslUnparseFlag(Sandbox::kBubblewrap), "bubblewrap");
  EXPECT_FALSE(AbslParseFlag("chroot", &sandbox, &error));
  EXPECT_EQ(error, "is none, landlock or bubblewrap");
}

}  // namespace
}  // namespace rawgate::exec
