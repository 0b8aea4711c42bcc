#include "cli/command_line.h"

#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "cli/command_testing.h"
#include "cli/display_text.h"
#include "cli/failure.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::vector<std::string> kCommands = {
    "ps",      "start",  "stop",       "watch",      "connections", "close",     "run", "shell",
    "jobs",    "attach", "kill",       "echo",       "date",        "chat",      "put", "get",
    "ls",      "stat",   "rm",         "test-clock", "init-tls",    "new-token", "mv",  "uploads",
    "context", "config", "completion", "version",    "help",        "man",       "top", "lab",
    "fault",   "call",   "doctor",     "bench"};

// A port on which nothing listens: it was free a moment ago.
std::string DeadTarget() {
  echo::v1::EchoService::Service echo;
  const FakeGateway gateway({&echo});
  return gateway.target();
}

TEST(CommandLine, EveryCommandHasHelpWithExamples) {
  for (const std::string& command : kCommands) {
    const CliResult result = RunCli({command, "--help"});
    EXPECT_EQ(result.code, 0) << command;
    EXPECT_EQ(result.error, "") << command;
    EXPECT_THAT(result.out, HasSubstr("Usage: rawgate " + command)) << command;
    EXPECT_THAT(result.out, HasSubstr("Examples:\n  rawgate " + command)) << command;
  }
}

TEST(CommandLine, HelpFitsEightyColumns) {
  std::vector<std::vector<std::string>> lines = {{"--help"}};
  for (const std::string& command : kCommands) lines.push_back({command, "--help"});
  for (const auto& words : lines) {
    for (const auto& line : absl::StrSplit(RunCli(words).out, '\n')) {
      EXPECT_LT(line.size(), 80u) << line;
    }
  }
}

TEST(CommandLine, OverallHelpNamesEveryCommand) {
  const std::string help = RunCli({"--help"}).out;
  for (const std::string& command : kCommands) EXPECT_THAT(help, HasSubstr("\n  " + command + " "));
}

TEST(CommandLine, Version) {
  const CliResult result = RunCli({"version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, StartsWith("rawgate "));
  EXPECT_EQ(RunCli({"--version"}).out, result.out);
}

void ExpectWrongUsage(const std::vector<std::vector<std::string>>& wrong) {
  for (const auto& words : wrong) {
    const CliResult result = RunCli(words);
    const std::string name = words[0] + " " + words.back();
    EXPECT_EQ(result.code, 2) << name;
    EXPECT_EQ(result.out, "") << name;
    EXPECT_THAT(result.error, StartsWith("rawgate")) << name;
    EXPECT_THAT(result.error, EndsWith("--help'.\n")) << name;
    EXPECT_EQ(result.error.find('\n'), result.error.size() - 1) << name;
  }
}

TEST(CommandLine, WrongUsageIsTwoAndOneLine) {
  const std::vector<std::vector<std::string>> wrong = {
      {"nosuch"},
      {"--nosuch"},
      {"ps", "--nosuch"},
      {"ps", "surplus"},
      {"stop"},
      {"stop", "echo/"},
      {"stop", "/tcp"},
      {"stop", "echo", "--grace", "soon"},
      {"stop", "echo", "--grace", "-5s"},
      {"stop", "echo", "--grace", "inf"},
      {"close", "echo"},
      {"close", "echo", "first"},
      {"watch", "--sample", "257"},
      {"connections", "--limit", "0"},
      {"run"},
      {"run", "--"},
      {"run", "--nosuch", "true"},
      {"run", "--shell", "true", "--", "true"},
      {"run", "--env", "NAME", "true"},
      {"run", "--env", "=value", "true"},
      {"run", "-t", "--detach", "true"},
      {"run", "-t", "-n", "true"},
      {"shell", "--env", "NAME"},
      {"jobs", "surplus"},
      {"attach"},
      {"kill"},
      {"kill", "7f3a-1", "STOP"},
      {"echo", "--transform", "rot13", "x"},
      {"date", "--interval", "1s"},
      {"date", "--count", "1"},
      {"date", "--watch", "--count", "0"},
      {"date", "--watch", "-v"},
      {"test-clock", "--offset", "soon"},
      {"test-clock", "--offset", "inf"},
      {"test-clock", "--freeze", "--rate", "2"},
      {"test-clock", "--kiss", "RATE", "--stratum", "1"},
      {"test-clock", "--stratum", "256"},
      {"test-clock", "--leap", "60"},
      {"test-clock", "--real", "--freeze"},
      {"put"},
      {"get"},
  };
  ExpectWrongUsage(wrong);
}

TEST(CommandLine, WrongUsageOfAccess) {
  ExpectWrongUsage({
      {"ps", "--tls-ca", "ca.pem", "--tls-key", "key.pem"},
      {"ps", "--tls-certificate", "a.pem", "--tls-key", "key.pem"},
      {"init-tls"},
      {"init-tls", "folder", "--host", "a,b"},
      {"init-tls", "folder", "--host", "-x"},
      {"new-token", "ann"},
      {"new-token", "ann", "king"},
      {"new-token", "\xc3\xa4", "admin"},
  });
}

TEST(CommandLine, WordsThatAreNoTextAreNamed) {
  const auto expect = [](std::vector<std::string> words, const std::string& named) {
    const CliResult result = RunCli(words);
    EXPECT_EQ(result.code, 2) << named;
    EXPECT_EQ(result.error, absl::StrCat("rawgate ", words[0], ": ", named,
                                         " is not UTF-8. See 'rawgate ", words[0], " --help'.\n"));
  };
  expect({"stat", "b\xff.txt"}, R"(NAME: "b\xff.txt")");
  expect({"stop", "a\xff"}, R"(SERVICE[/LISTENER]: "a\xff")");
  expect({"date", "--zone", "Europe", "%H\xff"}, R"(FORMAT: "%H\xff")");
  expect({"put", "a.txt", "--to", "\xe4\xbd"}, R"(--to: "\xe4\xbd")");
  expect({"run", "--env", "A=\xff", "--", "true"}, R"(--env: "A=\xff")");
  expect({"run", "--", "echo", "ok", "\xff"}, R"(COMMAND: "\xff")");
  expect({"run", "--shell", "echo \xff"}, R"(--shell: "echo \xff")");
}

TEST(CommandLine, AnUnavailableServiceThatComesBackIsToBeTriedAgain) {
  EXPECT_EQ(Explain("run", DrainingError(), "x"),
            "rawgate run: this process is going down. Try again in 1.0s.");
}

TEST(CommandLine, ExamplesComeBeforeOptions) {
  const std::string help = RunCli({"put", "--help"}).out;
  EXPECT_LT(help.find("\nExamples:\n"), help.find("\nArguments:\n"));
  EXPECT_LT(help.find("\nArguments:\n"), help.find("\nOptions:\n"));
  EXPECT_LT(help.find("\nOptions:\n"), help.find("\nWhen it returns, "));
}

TEST(CommandLine, HelpIsACommandToo) {
  EXPECT_EQ(RunCli({"help"}).out, RunCli({"--help"}).out);
  EXPECT_EQ(RunCli({"help", "put"}).out, RunCli({"put", "--help"}).out);
  EXPECT_EQ(RunCli({"help", "context", "add"}).out, RunCli({"context", "add", "--help"}).out);
  EXPECT_THAT(RunCli({"help", "put"}).out, HasSubstr("Usage: rawgate put [OPTIONS] FILE..."));
  EXPECT_EQ(RunCli({"help", "putt"}).error,
            "rawgate help: no such command: putt. Did you mean put? See 'rawgate help --help'.\n");
}

TEST(CommandLine, NoWordsShowAShortHelp) {
  const CliResult result = RunCli({});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.error, StartsWith("Control, observe and use"));
  EXPECT_THAT(result.error, HasSubstr("\n  rawgate ps "));
  EXPECT_THAT(result.error, EndsWith("'rawgate help COMMAND' tells of one.\n"));
}

TEST(CommandLine, SaysWhatWasMeantPerhaps) {
  const auto error = [](const std::vector<std::string>& words) { return RunCli(words).error; };
  EXPECT_EQ(error({"sart"}),
            "rawgate: no such command: sart. Did you mean start? See 'rawgate --help'.\n");
  EXPECT_THAT(error({"upload", "a.txt"}), HasSubstr("Did you mean put?"));
  EXPECT_EQ(error({"--gatway", "x", "ps"}),
            "rawgate ps: no such option: --gatway. Did you mean --gateway? See 'rawgate ps "
            "--help'.\n");
  EXPECT_EQ(error({"stop", "echo", "--grce=5"}),
            "rawgate stop: no such option: --grce. Did you mean --grace? See 'rawgate stop "
            "--help'.\n");
  EXPECT_THAT(error({"context", "rm"}), HasSubstr("Did you mean remove?"));
  EXPECT_THAT(error({"config", "set", "no_color", "1"}), HasSubstr("Did you mean color?"));
  EXPECT_THAT(error({"version", "--plain"}), HasSubstr("no --plain of what is no table"));
  EXPECT_THAT(error({"ps", "-x"}), HasSubstr("no such option: -x. See"));
  EXPECT_THAT(error({"ps", "surplus"}), HasSubstr("one argument too many: surplus. See"));
  EXPECT_THAT(error({"context"}), HasSubstr("rawgate context: no command. See 'rawgate context "));
  EXPECT_THAT(error({"context", "lst"}), HasSubstr("no such command: lst. Did you mean list?"));
  EXPECT_THAT(error({"stop", "--nosuch"}), HasSubstr("no such option: --nosuch"));
}

TEST(CommandLine, FailuresAreJsonWhereJsonIsAskedFor) {
  EXPECT_EQ(RunCli({"ps", "--json", "surplus"}).error,
            R"({"error":{"command":"ps","code":"INVALID_ARGUMENT","reason":"USAGE",)"
            R"("message":"one argument too many: surplus","advice":"See 'rawgate ps --help'."}})"
            "\n");
  const CliResult result = RunCli({"ps", "--json", "--gateway", DeadTarget()});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error,
              StartsWith(R"({"error":{"command":"ps","code":"UNAVAILABLE",)"
                         R"("reason":"GATEWAY_UNREACHABLE","message":"cannot reach)"));
  EXPECT_EQ(result.error.find('\n'), result.error.size() - 1);
}

TEST(CommandLine, UnreachableGatewaySaysWhatToDo) {
  const std::string target = DeadTarget();
  const CliResult result = RunCli({"--gateway", target, "ps"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate ps: cannot reach the gateway at " + target +
                ": Connection refused. Is it running? './script/up' starts everything; "
                "--gateway=ADDRESS names another.\n");
  EXPECT_EQ(RunCli({"run", "--gateway", target, "true"}).code, 255);
}

TEST(CommandLine, GatewayMayBeAUri) {
  const std::string target = DeadTarget();
  EXPECT_THAT(RunCli({"ps", "--gateway", "tcp://" + target}).error,
              HasSubstr("gateway at " + target + ": Connection refused"));
  EXPECT_THAT(RunCli({"ps", "--gateway=unix:///nowhere/to.sock"}).error,
              HasSubstr("gateway at unix:///nowhere/to.sock: No such file or directory"));
}

TEST(CommandLine, GatewayFromTheEnvironment) {
  const std::string target = DeadTarget();
  // NOLINTNEXTLINE(concurrency-mt-unsafe): gRPC's threads do not read it
  ::setenv("RAWGATE_GATEWAY", target.c_str(), 1);
  const CliResult from_environment = RunCli({"ps"});
  const CliResult from_option = RunCli({"--gateway", "unix:///nowhere", "ps"});
  // NOLINTNEXTLINE(concurrency-mt-unsafe)
  ::unsetenv("RAWGATE_GATEWAY");
  EXPECT_THAT(from_environment.error, HasSubstr(target));
  EXPECT_THAT(from_option.error, HasSubstr("unix:///nowhere"));
}

TEST(CommandLine, AForeignServerIsNamedAsSuch) {
  echo::v1::EchoService::Service echo;
  const FakeGateway gateway({&echo});
  const CliResult result = gateway.Run({"ps"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("it is no rawgate gateway, or another version"));
}

TEST(CommandLine, AUrlIsNoGateway) {
  for (const char* url : {"https://lab.example:8088", "http://lab.example"}) {
    const CliResult result = RunCli({"--gateway", url, "ps"});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.error, HasSubstr("lab.example:50051"));
    EXPECT_EQ(RunCli({"ps", "--gateway", url}).code, 2);
  }
}

}  // namespace
}  // namespace rawgate::cli
