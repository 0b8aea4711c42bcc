// rawgate man: what packages are made with.
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/command.h"
#include "cli/credential_files.h"
#include "cli/local_path.h"
#include "cli/man_page.h"
#include "cli/usage_error.h"

namespace rawgate::cli {
namespace {

struct ManOptions {
  std::vector<std::string> words;
  std::string folder;
};

// Builds that are to be the same anywhere say when they are (reproducible-builds.org).
std::string Date() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* const epoch = std::getenv("SOURCE_DATE_EPOCH");
  int64_t seconds = 0;
  const bool given = epoch != nullptr && absl::SimpleAtoi(epoch, &seconds);
  return absl::FormatTime("%Y-%m-%d", given ? absl::FromUnixSeconds(seconds) : absl::Now(),
                          absl::UTCTimeZone());
}

// The pages of `command` and of all below it that the help shows.
absl::Status WritePages(const CLI::App& command, const std::string& folder) {
  const CredentialFile page{absl::StrCat(ManPageName(command), ".1"),
                            ManPage(command, RAWGATE_VERSION, Date()), 0644};
  if (absl::Status written = ReplaceFile(folder, page); !written.ok()) return written;
  for (const CLI::App* below : command.get_subcommands({})) {
    if (below->get_group().empty()) continue;
    if (absl::Status written = WritePages(*below, folder); !written.ok()) return written;
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Man(const CLI::App& command, const ManOptions& options,
                        const Context& context) {
  const absl::Status written = options.folder.empty()
                                   ? context.console.Out(ManPage(command, RAWGATE_VERSION, Date()))
                                   : WritePages(command, options.folder);
  if (!written.ok()) return written;
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate man put | man -l -
  rawgate man --output build/man)";

}  // namespace

void AddManCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<ManOptions>();
  CLI::App* man = app.add_subcommand("man", "Print the manual page of a command");
  man->group(kOtherGroup)->footer(kExamples);
  man->add_option("COMMAND", options->words, "Which one; else that of rawgate itself");
  man->add_option("--output", options->folder,
                  "Write its page, and those of all its commands, here")
      ->type_name(kLocalFile);
  man->callback([&app, &chosen, options] {
    const CLI::App& command = FindCommandPath(app, options->words);
    chosen.needs_gateway = false;
    chosen.run = [&command, options](Context& context) { return Man(command, *options, context); };
  });
}

}  // namespace rawgate::cli
