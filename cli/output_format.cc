#include "cli/output_format.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/display_text.h"

namespace rawgate::cli {
namespace {

CLI::Option* AddFormat(CLI::App& app, const std::string& name, OutputFormat& format,
                       OutputFormat value, const std::string& description) {
  return app.add_flag_callback(
      name, [&format, value] { format = value; }, description);
}

std::string PlainTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

}  // namespace

std::string AgeCell(absl::Time time, absl::Time now, OutputFormat format) {
  return format == OutputFormat::kPlain ? PlainTime(time)
                                        : absl::StrCat(HumanDuration(now - time), " ago");
}

std::string TimeCell(absl::Time time, OutputFormat format) {
  return format == OutputFormat::kPlain ? PlainTime(time) : DateAndTime(time);
}

std::string SizeCell(uint64_t bytes, OutputFormat format) {
  return format == OutputFormat::kPlain ? absl::StrCat(bytes) : HumanSize(bytes);
}

std::string DurationCell(absl::Duration duration, OutputFormat format) {
  return format == OutputFormat::kPlain ? absl::StrFormat("%.3f", absl::ToDoubleSeconds(duration))
                                        : HumanDuration(duration);
}

void AddJsonFormat(CLI::App& app, OutputFormat& format, const std::string& what) {
  AddFormat(app, "--json", format, OutputFormat::kJson, absl::StrCat("Print ", what, " as JSON"));
}

void AddOutputFormat(CLI::App& app, OutputFormat& format, const std::string& what) {
  CLI::Option* plain = AddFormat(app, "--plain", format, OutputFormat::kPlain,
                                 "Print a line for each, fields separated by tabs");
  AddJsonFormat(app, format, what);
  plain->excludes(app.get_option("--json"));
}

bool IsJson(const CLI::App& command) {
  const CLI::Option* json = command.get_option_no_throw("--json");
  return json != nullptr && json->count() > 0;
}

void ApplyOutputFormat(CLI::App& app, absl::string_view value) {
  for (CLI::App* command : app.get_subcommands()) ApplyOutputFormat(*command, value);
  if (value == "text" || IsJson(app)) return;
  CLI::Option* option = app.get_option_no_throw(absl::StrCat("--", value));
  if (option == nullptr || option->count() > 0) return;
  const auto excludes = option->get_excludes();
  const auto given = [](const CLI::Option* other) { return other->count() > 0; };
  if (std::any_of(excludes.begin(), excludes.end(), given)) return;
  option->add_result("true");
  option->run_callback();
}

}  // namespace rawgate::cli
