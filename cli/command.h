// What a command of `rawgate` is, and the list of them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/console.h"
#include "cli/failure.h"
#include "cli/gateway.h"
#include "cli/interrupt.h"
#include "cli/security.h"
#include "cli/settings.h"

namespace rawgate::cli {

// What a command works with, for as long as it runs.
struct Context {
  Gateway& gateway;
  Console& console;
  Interrupt& interrupt;
  // Why they could not be told, for a command that needs no gateway, or does not await it.
  const absl::StatusOr<Settings>& settings;
  // Where credentials were to come from, and how reading them went; the gateway has none when that
  // failed.
  const SecurityOptions& security_options;
  const absl::Status& security_status;
  // The command was asked for JSON: what fails is told so, too.
  bool json = false;

  // To standard error, as text or as JSON.
  void Tell(const Failure& failure) const {
    console.Error(FailureLine(failure, gateway.target(), json));
  }
};

// The command that the command line chose.
struct Command {
  // The free words of `run`, `shell` and `echo`; known before the rest of the command line is
  // parsed.
  std::vector<std::string> words;
  // Returns the exit code, or why the command failed.
  std::function<absl::StatusOr<int>(Context&)> run;
  // The exit code of a failure.
  int failure_exit_code = kExitFailure;
  // False for what is done without one: `rawgate version`, `init-tls`, `config show`.
  bool needs_gateway = true;
  // False for a command that connects by itself, and has something to say when that fails.
  bool awaits_gateway = true;
};

// Each adds its subcommands to `app`. When one of them is parsed, it puts itself into `chosen`,
// which outlives `app`.
void AddServiceCommands(CLI::App& app, Command& chosen);     // ps, start, stop
void AddConnectionCommands(CLI::App& app, Command& chosen);  // connections, close
void AddTopCommand(CLI::App& app, Command& chosen);          // top
void AddWatchCommand(CLI::App& app, Command& chosen);        // watch
void AddLabCommand(CLI::App& app, Command& chosen);          // lab
void AddEchoCommand(CLI::App& app, Command& chosen);         // echo
void AddRunCommand(CLI::App& app, Command& chosen);          // run
void AddShellCommand(CLI::App& app, Command& chosen);        // shell
void AddJobCommands(CLI::App& app, Command& chosen);         // jobs, kill
void AddAttachCommand(CLI::App& app, Command& chosen);       // attach
void AddDateCommand(CLI::App& app, Command& chosen);         // date
void AddTestClockCommand(CLI::App& app, Command& chosen);    // test-clock
void AddFaultCommand(CLI::App& app, Command& chosen);        // fault
void AddPutCommand(CLI::App& app, Command& chosen);          // put
void AddGetCommand(CLI::App& app, Command& chosen);          // get
void AddFileCommands(CLI::App& app, Command& chosen);        // ls, stat
void AddFileChangeCommands(CLI::App& app, Command& chosen);  // rm, mv
void AddUploadsCommand(CLI::App& app, Command& chosen);      // uploads
void AddChatCommand(CLI::App& app, Command& chosen);         // chat
void AddCallCommand(CLI::App& app, Command& chosen);         // call
void AddDoctorCommand(CLI::App& app, Command& chosen);       // doctor
void AddBenchCommand(CLI::App& app, Command& chosen);        // bench
void AddInitTlsCommand(CLI::App& app, Command& chosen);      // init-tls
void AddNewTokenCommand(CLI::App& app, Command& chosen);     // new-token
void AddContextCommands(CLI::App& app, Command& chosen);     // context add, list, use, show, remove
void AddConfigCommands(CLI::App& app, Command& chosen);      // config show, path, set, unset
void AddCompletionCommands(CLI::App& app, Command& chosen);  // completion; complete, not shown
void AddManCommand(CLI::App& app, Command& chosen);          // man
void AddVersionCommand(CLI::App& app, Command& chosen);      // version
void AddHelpCommand(CLI::App& app, Command& chosen);         // help

// An option whose value is a time: "500ms", "5s", "1m30s", or seconds as a bare number.
CLI::Option* AddDurationOption(CLI::App& app, const std::string& name, absl::Duration& duration,
                               const std::string& description);
// The same, for one that may be negative, from `least` to `most`; `take` is given its value.
CLI::Option* AddDurationOption(CLI::App& app, const std::string& name,
                               std::function<void(absl::Duration)> take,
                               const std::string& description, absl::Duration least,
                               absl::Duration most);

// Of this program, such as "0.1.0".
extern const char* const kVersion;

// Throws CLI::ValidationError, which names both, unless `value` is UTF-8, as strings of the gRPC
// contract are. Done for every option that is not a kLocalFile.
void CheckUtf8(const std::string& option, absl::string_view value);

// How options are called whose value is a path of this machine.
inline constexpr char kLocalFile[] = "FILE";

// Groups of the overall help, in the order in which they are first used.
inline constexpr char kServicesGroup[] = "Services";
inline constexpr char kOperationsGroup[] = "Operations";
inline constexpr char kFilesGroup[] = "Files";
inline constexpr char kToolsGroup[] = "Tools";
inline constexpr char kAccessGroup[] = "Access";
inline constexpr char kConfigurationGroup[] = "Configuration";
inline constexpr char kOtherGroup[] = "Other";

}  // namespace rawgate::cli
