// rawgate top.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "cli/command.h"
#include "cli/top_options.h"

namespace rawgate::cli {
namespace {

// A screen needs somebody who sees it and types, and a terminal that can move its cursor.
bool IsForScreen(const TopOptions& options, const Console& console) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* terminal = std::getenv("TERM");
  const bool is_dumb =
      terminal == nullptr || *terminal == '\0' || absl::string_view(terminal) == "dumb";
  return !options.batch && options.count == 0 && options.format == OutputFormat::kText &&
         !is_dumb && console.InputIsTerminal() && console.OutputIsTerminal();
}

// As TopView has them.
constexpr std::array<absl::string_view, kTopViews> kViewNames = {"services", "connections",
                                                                 "events"};

constexpr char kExamples[] =
    R"(Examples:
  rawgate top                 services, connections and events as they change;
                              ? tells what the keys do, q ends
  rawgate top --sort req/s --filter tcp
  rawgate top --view connections
  rawgate top --once          one snapshot, as text
  rawgate top -b -n 10 --interval 5s > load.txt
  rawgate top --json -n 1 | jq '.services[] | {name, requestsPerSecond}'

Where output is no terminal, or a dumb one, snapshots are printed as with -b;
at a terminal with the columns that fit. The first comes after one interval,
since a rate needs two samples. Rates are the mean of the last 4 s, or of the
last two samples. In columns K is 1024 bytes.

With --plain: time, NAME INSTANCE STATE SINCE OPEN REQ/S ERR/S IN/S OUT/S DROPS
REQUESTS IN OUT FAULTS ADDRESS, in bytes and seconds. With --json one object
each: time, and services with their listeners.

When the gateway goes away, top says so and waits for it.)";

void AddOrder(CLI::App& top, TopOrder& order) {
  const auto take_sort = [&order](const std::string& heading) {
    const TopList& services = TopList::Services();
    order.column = services.ColumnOf(heading);
    if (order.column == services.columns().size())
      throw CLI::ValidationError("--sort", "'" + heading + "' is no column such as REQ/S");
  };
  top.add_option_function<std::string>("--sort", take_sort, "Order by this column")
      ->type_name("COLUMN");
  top.add_flag("--reverse", order.reversed, "The other way round");
  top.add_option("--filter", order.filter, "Only rows that have this in them")->type_name("TEXT");
}

}  // namespace

void AddTopCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<TopOptions>();
  CLI::App* top = app.add_subcommand("top", "Watch load and states; start, stop and close");
  top->group(kServicesGroup)->footer(kExamples);
  AddDurationOption(
      *top, "--interval", [options](absl::Duration value) { options->interval = value; },
      "Between two samples, 100ms to 1h (1s)", absl::Milliseconds(100), absl::Hours(1));
  AddOrder(*top, options->order);
  const auto take_view = [options](const std::string& name) {
    const auto view = std::find(kViewNames.begin(), kViewNames.end(), name);
    options->view = static_cast<TopView>(view - kViewNames.begin());
  };
  top->add_option_function<std::string>("--view", take_view,
                                        "Begin with services, connections or events")
      ->type_name("VIEW")
      ->check(CLI::IsMember(std::vector<std::string>(kViewNames.begin(), kViewNames.end())));
  top->add_flag("-b,--batch", options->batch, "Print snapshots one after another");
  top->add_option("-n,--count", options->count, "Print N of them")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  top->add_flag_callback(
      "--once", [options] { options->count = 1; }, "Print one: -n 1");
  AddOutputFormat(*top, options->format, "each snapshot on a line");
  top->callback([&chosen, options] {
    chosen.run = [options](Context& context) {
      return IsForScreen(*options, context.console) ? RunTopScreen(*options, context)
                                                    : RunTopBatch(*options, context);
    };
  });
}

}  // namespace rawgate::cli
