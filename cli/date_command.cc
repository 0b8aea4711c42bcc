// rawgate date.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/date_watch.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using time::v1::TimeService;

struct DateOptions {
  std::string format;
  std::string zone;
  bool verbose = false;
  OutputFormat output = OutputFormat::kText;

  bool json() const { return output == OutputFormat::kJson; }
  bool watch = false;
  absl::Duration interval = absl::Seconds(1);
  uint32_t count = 0;
};

// As date(1) takes it.
std::string FormatOf(const DateOptions& options) {
  return options.format.substr(options.format.starts_with('+') ? 1 : 0);
}

// "+0.000123 s".
std::string Offset(absl::Duration offset) {
  return absl::StrFormat("%+.6f s", absl::ToDoubleSeconds(offset));
}

std::string Synchronization(time::v1::ClockSynchronization state) {
  switch (state) {
    case time::v1::CLOCK_SYNCHRONIZATION_SYNCHRONIZED:
      return "yes";
    case time::v1::CLOCK_SYNCHRONIZATION_UNSYNCHRONIZED:
      return "no";
    default:
      return "not known";
  }
}

std::string Details(const time::v1::GetTimeResponse& response, absl::Time received) {
  const absl::Time sent = ToTime(response.client_send_time());
  const absl::Time server_received = ToTime(response.server_receive_time());
  const absl::Time server_sent = ToTime(response.server_send_time());
  // RFC 5905 section 8.
  const absl::Duration offset = ((server_received - sent) + (server_sent - received)) / 2;
  const absl::Duration delay = (received - sent) - (server_sent - server_received);
  const int utc_minutes = response.utc_offset_seconds() / 60;
  return absl::StrCat("zone          ", Printable(response.time_zone()),
                      absl::StrFormat(" (UTC%c%02d:%02d)\n", utc_minutes < 0 ? '-' : '+',
                                      std::abs(utc_minutes) / 60, std::abs(utc_minutes) % 60),
                      "clock source  ",
                      response.clock_source().empty() ? "-" : Printable(response.clock_source()),
                      "\nsynchronised  ", Synchronization(response.synchronization()),
                      "\nuptime        ", HumanDuration(ToDuration(response.uptime())),
                      "\noffset        ", Offset(offset), " (its clock less ours)\ndelay         ",
                      HumanDuration(delay), response.test_clock() ? "\ntest clock    set\n" : "\n");
}

absl::StatusOr<int> Watch(const DateOptions& options, Context& context) {
  DateWatch watch;
  watch.count = options.count;
  watch.json = options.json();
  watch.request.set_format(FormatOf(options));
  watch.request.set_time_zone(options.zone);
  *watch.request.mutable_interval() = ToProto(options.interval);
  return WatchDate(watch, context);
}

absl::StatusOr<int> Date(const DateOptions& options, Context& context) {
  time::v1::GetTimeRequest request;
  request.set_format(FormatOf(options));
  request.set_time_zone(options.zone);
  *request.mutable_client_send_time() = ToProto(absl::Now());
  const auto stub = context.gateway.Stub<TimeService>();
  const auto response = Call(*stub, &TimeService::Stub::GetTime, request);
  const absl::Time received = absl::Now();
  if (!response.ok()) return response.status();
  std::string text =
      options.json() ? JsonText(*response) : absl::StrCat(response->formatted(), "\n");
  if (context.console.OutputIsTerminal()) text = PrintableLines(text);
  if (options.verbose) text += Details(*response, received);
  const absl::Status written = context.console.Out(text);
  if (!written.ok()) return written;
  return 0;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate date                  2025-11-23 14:03:21
  rawgate date '%H:%M'          14:03
  rawgate date +%s              a leading + is dropped, as by date(1)
  rawgate date '%A %d %B' --zone Asia/Shanghai
  rawgate date -v               also zone, clock source, offset and delay
  rawgate date --watch          a line each time the far side's clock reaches
                                a whole second
  rawgate date --watch --interval 100ms --count 50 '%T'

A watch that is too slow misses ticks and says how many on standard error.)";

}  // namespace

void AddDateCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<DateOptions>();
  CLI::App* date = app.add_subcommand("date", "Show the far side's time");
  date->group(kOperationsGroup)->footer(kExamples);
  date->add_option("FORMAT", options->format, "As for strftime(3); else '%Y-%m-%d %X'");
  date->add_option("--zone", options->zone, "IANA time zone; else the server's own")
      ->type_name("ZONE");
  CLI::Option* verbose = date->add_flag("-v,--verbose", options->verbose,
                                        "Also zone, clock, and offset from this machine");
  CLI::Option* watch = date->add_flag("--watch", options->watch, "A line a second, until Ctrl-C");
  verbose->excludes(watch);
  AddDurationOption(*date, "--interval", options->interval,
                    "With --watch: a line at each whole multiple of\nthis, from 100ms to 24h (1s)")
      ->needs(watch);
  date->add_option("--count", options->count, "With --watch: end after N lines")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000))
      ->needs(watch);
  AddJsonFormat(*date, options->output, "a GetTimeResponse, with --watch\nWatchTimeResponses,");
  date->get_option("--json")->excludes(verbose);
  date->callback([&chosen, options] {
    chosen.run = [options](Context& context) {
      return options->watch ? Watch(*options, context) : Date(*options, context);
    };
  });
}

}  // namespace rawgate::cli
