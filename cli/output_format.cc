#include "cli/output_format.h"

#include "absl/strings/str_cat.h"

namespace rawgate::cli {
namespace {

CLI::Option* AddFormat(CLI::App& app, const std::string& name, OutputFormat& format,
                       OutputFormat value, const std::string& description) {
  return app.add_flag_callback(
      name, [&format, value] { format = value; }, description);
}

}  // namespace

void AddJsonFormat(CLI::App& app, OutputFormat& format, const std::string& what) {
  AddFormat(app, "--json", format, OutputFormat::kJson, absl::StrCat("Print ", what, " as JSON"));
}

void AddOutputFormat(CLI::App& app, OutputFormat& format, const std::string& what) {
  CLI::Option* plain = AddFormat(app, "--plain", format, OutputFormat::kPlain,
                                 "Print a line for each, fields separated by tabs");
  AddJsonFormat(app, format, what);
  plain->excludes(app.get_option("--json"));
}

}  // namespace rawgate::cli
