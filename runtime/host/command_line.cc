#include "runtime/host/command_line.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rawgate::host {
namespace {

// A flag's file as the tree names it, whatever path the compiler was given.
std::string InTree(absl::string_view filename) {
  for (const absl::string_view root : {"runtime/", "services/", "gateway/"}) {
    const size_t begin = filename.rfind(root);
    if (begin != absl::string_view::npos) return std::string(filename.substr(begin));
  }
  return std::string(filename);
}

bool IsOurs(absl::string_view filename) { return !absl::StrContains(filename, "absl/"); }

// Where flags come from, weakest first. Abseil lets a later setting of a flag replace an earlier
// one, so laying the sources one after another makes the precedence.
struct FlagSources {
  std::vector<std::string> flag_files;
  std::vector<std::string> environment;
  std::vector<std::string> typed;
};

std::string VariableOf(absl::string_view flag) {
  return absl::StrCat("RAWGATE_", absl::AsciiStrToUpper(flag));
}

FlagSources CollectFlags(int argc, char** argv) {
  FlagSources sources;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view argument = argv[i];
    const bool is_file =
        absl::StartsWith(argument, "--flagfile=") || absl::StartsWith(argument, "-flagfile=");
    (is_file ? sources.flag_files : sources.typed).emplace_back(argument);
  }
  for (const auto& [name, flag] : absl::GetAllFlags()) {
    const char* value = IsOurs(flag->Filename()) ? std::getenv(VariableOf(name).c_str()) : nullptr;
    if (value != nullptr) sources.environment.push_back(absl::StrCat("--", name, "=", value));
  }
  return sources;
}

// For --help, which tells values and defaults: where the values that are no defaults came from.
std::string DescribeSources(const FlagSources& sources) {
  std::string text =
      "\nEvery flag is also an environment variable, --listen as RAWGATE_LISTEN. A flag that is "
      "typed outdoes the "
      "environment, which outdoes --flagfile=FILE.\n";
  for (const std::string& setting : sources.flag_files) {
    absl::StrAppend(&text, "  from a flag file:        ", setting, "\n");
  }
  for (const std::string& setting : sources.environment) {
    absl::StrAppend(&text, "  from the environment:    ", setting, "\n");
  }
  for (const std::string& setting : sources.typed) {
    if (!absl::StartsWith(setting, "--help"))
      absl::StrAppend(&text, "  from the command line:   ", setting, "\n");
  }
  return text;
}

// Abseil ends the process with 1 for bad flags and for --help alike. What users expect is 2 and 0.
bool g_parsing_flags = false;
void CorrectExitStatus(int status, void* help_was_asked) {
  if (!g_parsing_flags || status != 1) return;
  std::fflush(stdout);
  ::_exit(help_was_asked != nullptr ? 0 : kUsageError);
}

// Returns the program's name and what is no flag.
std::vector<char*> ParseFlags(char* program, const FlagSources& sources) {
  static std::vector<std::string> arguments;
  arguments = {program};
  bool help = false;
  for (const auto* layer : {&sources.flag_files, &sources.environment, &sources.typed}) {
    arguments.insert(arguments.end(), layer->begin(), layer->end());
    for (const std::string& argument : *layer) help |= absl::StartsWith(argument, "--help");
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  ::on_exit(CorrectExitStatus, help ? program : nullptr);
  g_parsing_flags = true;
  std::vector<char*> rest =
      absl::ParseCommandLine(static_cast<int>(pointers.size()), pointers.data());
  g_parsing_flags = false;
  return rest;
}

}  // namespace

std::vector<std::string> ParseCommandLine(int argc, char** argv, const std::string& usage) {
  const FlagSources sources = CollectFlags(argc, argv);
  absl::SetProgramUsageMessage(absl::StrCat(usage, DescribeSources(sources)));
  absl::FlagsUsageConfig config;
  config.contains_help_flags = IsOurs;
  config.contains_helpshort_flags = IsOurs;
  config.normalize_filename = InTree;
  absl::SetFlagsUsageConfig(config);
  const std::vector<char*> rest = ParseFlags(argv[0], sources);
  return std::vector<std::string>(rest.begin() + 1, rest.end());
}

}  // namespace rawgate::host
