// What the options of all commands have in common: cli/command.h.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"

namespace rawgate::cli {

namespace {

// What is wrong with a time that is out of its range, and what may have been meant: many tools take
// a bare number as milliseconds.
std::string OutOfRange(const std::string& text, bool bare, absl::Duration least,
                       absl::Duration most, bool above) {
  std::string message =
      absl::StrCat("'", text, "' is out of range: ", bare ? "without a unit it is seconds, " : "",
                   above ? "at most " : "at least ", absl::FormatDuration(above ? most : least));
  absl::Duration meant;
  const std::string milliseconds = absl::StrCat(text, "ms");
  if (bare && absl::ParseDuration(milliseconds, &meant) && meant >= least && meant <= most) {
    absl::StrAppend(&message, ". Did you mean ", milliseconds, "?");
  }
  return message;
}

}  // namespace

void CheckUtf8(const std::string& option, absl::string_view value) {
  if (!IsUtf8(value)) {
    throw CLI::ValidationError(option, absl::StrCat(Quoted(value), " is not UTF-8"));
  }
}

CLI::Option* AddDurationOption(CLI::App& app, const std::string& name, absl::Duration& duration,
                               const std::string& description) {
  return AddDurationOption(
      app, name, [&duration](absl::Duration value) { duration = value; }, description,
      absl::ZeroDuration(), absl::Hours(24 * 365));
}

CLI::Option* AddDurationOption(CLI::App& app, const std::string& name,
                               std::function<void(absl::Duration)> take,
                               const std::string& description, absl::Duration least,
                               absl::Duration most) {
  const auto parse = [name, take = std::move(take), least, most](const std::string& text) {
    double seconds = 0;
    absl::Duration duration;
    const bool bare = absl::SimpleAtod(text, &seconds);
    if (bare) {
      duration = absl::Seconds(seconds);
    } else if (!absl::ParseDuration(text, &duration)) {
      throw CLI::ValidationError(name, absl::StrCat("'", text, "' is no time such as 5s or 1m30s"));
    }
    if (duration < least || duration > most) {
      throw CLI::ValidationError(name,
                                 OutOfRange(text, bare, least, most, /*above=*/duration > most));
    }
    take(duration);
  };
  return app.add_option_function<std::string>(name, parse, description)->type_name("TIME");
}

}  // namespace rawgate::cli
