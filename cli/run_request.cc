#include "cli/run_request.h"

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/proto_text.h"
#include "runtime/base/instance.h"

namespace rawgate::cli {
namespace {

bool IsShellText(const std::vector<std::string>& words) {
  return words.size() == 1 &&
         words[0].find_first_of(" \t\n|&;<>()$`\\\"'*?[]#~{}!") != std::string::npos;
}

}  // namespace

void AddCommandOptions(CLI::App& app, CommandOptions& options) {
  AddDurationOption(app, "--timeout", options.timeout,
                    "End the command after TIME; else the service's\nlimit holds");
  app.add_option("--env", options.environment, "Set a variable for the command; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--cwd", options.directory, "Run in this folder of the far side")
      ->type_name("FOLDER");
}

exec::v1::RunRequest MakeRunRequest(const CommandOptions& options) {
  exec::v1::RunRequest request;
  // 128 bits, as a UUID has.
  request.set_request_id(absl::StrCat(RandomInstance(), RandomInstance()));
  request.set_working_directory(options.directory);
  for (const std::string& assignment : options.environment) {
    const size_t equals = assignment.find('=');
    if (equals == 0 || equals == assignment.npos) {
      throw CLI::ValidationError(absl::StrCat("--env '", assignment, "' is no NAME=VALUE"));
    }
    auto* variable = request.add_environment();
    variable->set_name(assignment.substr(0, equals));
    variable->set_value(assignment.substr(equals + 1));
  }
  if (options.timeout > absl::ZeroDuration()) {
    *request.mutable_timeout() = ToProto(options.timeout);
  }
  return request;
}

void SetWords(const std::vector<std::string>& words, exec::v1::RunRequest& request) {
  for (const std::string& word : words) CheckUtf8("COMMAND", word);
  if (IsShellText(words)) {
    request.set_shell_command(words[0]);
  } else {
    request.mutable_argv()->mutable_arguments()->Assign(words.begin(), words.end());
  }
}

}  // namespace rawgate::cli
