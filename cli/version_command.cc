// rawgate version.
#include <memory>

#include <boost/json/object.hpp>

#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/output_format.h"

namespace rawgate::cli {
namespace {

constexpr char kExamples[] =
    R"(Examples:
  rawgate version
  rawgate version --json | jq -r .version

That of a gateway is at its /version, by HTTP; 'rawgate doctor' compares.)";

}  // namespace

void AddVersionCommand(CLI::App& app, Command& chosen) {
  const auto format = std::make_shared<OutputFormat>(OutputFormat::kText);
  CLI::App* version = app.add_subcommand("version", "Show the version of this program");
  version->group(kOtherGroup)->footer(kExamples);
  AddJsonFormat(*version, *format, "name and version");
  version->callback([&chosen, format] {
    chosen.needs_gateway = false;
    chosen.run = [format](Context& context) -> absl::StatusOr<int> {
      const absl::Status status = context.console.Out(
          *format == OutputFormat::kJson
              ? JsonLine(boost::json::object{{"name", "rawgate"}, {"version", RAWGATE_VERSION}})
              : "rawgate " RAWGATE_VERSION "\n");
      if (!status.ok()) return status;
      return 0;
    };
  });
}

}  // namespace rawgate::cli
