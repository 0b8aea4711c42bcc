#include "cli/name_suggestion.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/clock.h"
#include "cli/live_names.h"
#include "cli/local_path.h"
#include "cli/suggestion.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

constexpr absl::Duration kWithin = absl::Seconds(1);

// The arguments of `command` whose names begin with one of `names`.
std::vector<std::string> ArgumentsOf(const CLI::App& command,
                                     const std::vector<std::string>& names) {
  std::vector<std::string> values;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true, false);
    const bool wanted = std::any_of(names.begin(), names.end(), [&name](const std::string& begin) {
      return absl::StartsWith(name, begin);
    });
    if (wanted) values.insert(values.end(), option->results().begin(), option->results().end());
  }
  return values;
}

// For the first that is not there.
std::string SuggestFor(const std::string& value, std::vector<std::string> known) {
  for (std::string& name : known) name = WithoutTrailingSlashes(name);
  const std::string plain = WithoutTrailingSlashes(value);
  const bool is_there = std::find(known.begin(), known.end(), plain) != known.end();
  return is_there ? "" : DidYouMean(plain, known);
}

}  // namespace

std::string SuggestName(const CLI::App& command, const absl::Status& status,
                        const Gateway& gateway) {
  const std::string reason = ReasonOf(status);
  const LiveNames live(gateway, absl::Now() + kWithin);
  if (reason == "SERVICE_NOT_FOUND" || reason == "LISTENER_NOT_FOUND") {
    for (const std::string& value : ArgumentsOf(command, {"SERVICE"})) {
      const auto known =
          ValuesOf(absl::StrContains(value, "/") ? live.Listeners() : live.Services());
      if (std::string suggestion = SuggestFor(value, known); !suggestion.empty()) return suggestion;
    }
  } else if (reason == "FILE_NOT_FOUND") {
    for (const std::string& value : ArgumentsOf(command, {"NAME", "FOLDER"})) {
      const auto known = ValuesOf(live.Files(FolderPart(WithoutTrailingSlashes(value))));
      if (std::string suggestion = SuggestFor(value, known); !suggestion.empty()) return suggestion;
    }
  }
  return "";
}

}  // namespace rawgate::cli
