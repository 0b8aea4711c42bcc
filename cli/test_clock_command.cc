// rawgate test-clock.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using time::v1::TimeService;

struct Leap {
  absl::string_view name;
  time::v1::LeapIndicator value;
};

constexpr std::array kLeaps = std::to_array<Leap>({
    {"none", time::v1::LEAP_INDICATOR_NO_WARNING},
    {"61", time::v1::LEAP_INDICATOR_LAST_MINUTE_61},
    {"59", time::v1::LEAP_INDICATOR_LAST_MINUTE_59},
    {"unsynchronised", time::v1::LEAP_INDICATOR_UNSYNCHRONIZED},
});

std::string LeapName(time::v1::LeapIndicator value) {
  for (const Leap& leap : kLeaps) {
    if (leap.value == value) return std::string(leap.name);
  }
  return absl::StrCat("leap ", static_cast<int>(value));
}

struct TestClockOptions {
  bool real = false;
  time::v1::TestClock clock;
  // Any option that sets something was there.
  bool set = false;
  OutputFormat format = OutputFormat::kText;

  bool json() const { return format == OutputFormat::kJson; }
};

std::string Text(const time::v1::TestClock& clock) {
  std::string text;
  const auto line = [&text](absl::string_view name, const auto& value) {
    absl::StrAppend(&text, name, std::string(17 - name.size(), ' '), value, "\n");
  };
  if (clock.has_offset()) {
    const absl::Duration offset = ToDuration(clock.offset());
    line("offset",
         absl::StrCat(offset > absl::ZeroDuration() ? "+" : "", absl::FormatDuration(offset)));
  }
  if (clock.rate() != 0) line("rate", clock.rate());
  if (clock.frozen()) line("frozen", "yes");
  const time::v1::NtpOverride& ntp = clock.ntp();
  if (ntp.leap() != time::v1::LEAP_INDICATOR_UNSPECIFIED) line("leap", LeapName(ntp.leap()));
  if (ntp.has_stratum()) line("stratum", ntp.stratum());
  if (ntp.has_root_dispersion()) {
    line("root dispersion", absl::FormatDuration(ToDuration(ntp.root_dispersion())));
  }
  if (!ntp.kiss_code().empty()) line("kiss code", Printable(ntp.kiss_code()));
  return text.empty() ? "the real clock\n" : text;
}

template <typename Response>
absl::StatusOr<int> Show(const absl::StatusOr<Response>& response, bool json,
                         const Console& console) {
  if (!response.ok()) return response.status();
  const absl::Status written =
      console.Out(json ? JsonText(*response) : Text(response->test_clock()));
  if (!written.ok()) return written;
  return 0;
}

absl::StatusOr<int> TestClock(const TestClockOptions& options, Context& context) {
  const auto stub = context.gateway.Stub<TimeService>();
  if (!options.set) {
    return Show(Call(*stub, &TimeService::Stub::GetTestClock, time::v1::GetTestClockRequest()),
                options.json(), context.console);
  }
  time::v1::SetTestClockRequest request;
  *request.mutable_test_clock() = options.clock;
  return Show(Call(*stub, &TimeService::Stub::SetTestClock, request), options.json(),
              context.console);
}

// Seconds that a google.protobuf.Duration holds. What a clock takes is for the service to say.
constexpr absl::Duration kDurationMax = absl::Seconds(315'576'000'000);

// The options that set something, in the order of the help. Returns them.
std::vector<CLI::Option*> AddSettings(CLI::App& app, time::v1::TestClock& clock) {
  const auto set_leap = [&clock](const std::string& name) {
    for (const Leap& leap : kLeaps) {
      if (leap.name == name) return clock.mutable_ntp()->set_leap(leap.value);
    }
    throw CLI::ValidationError("--leap",
                               absl::StrCat("'", name, "' is not none, 61, 59 or unsynchronised"));
  };
  CLI::Option* offset = AddDurationOption(
      app, "--offset", [&clock](absl::Duration value) { *clock.mutable_offset() = ToProto(value); },
      "Ahead of the machine's clock, such as 90s; behind\nit, such as -1h30m", -kDurationMax,
      kDurationMax);
  CLI::Option* rate = app.add_option_function<double>(
                             "--rate", [&clock](double value) { clock.set_rate(value); },
                             "Seconds told for each that passes, 0.001 to 1000")
                          ->type_name("N");
  CLI::Option* freeze = app.add_flag_callback(
      "--freeze", [&clock] { clock.set_frozen(true); }, "The clock stands still, from now on");
  CLI::Option* leap =
      app.add_option_function<std::string>("--leap", set_leap,
                                           "NTP's leap indicator: none, 61, 59 (seconds in the\n"
                                           "last minute of the day), unsynchronised")
          ->type_name("WHAT");
  CLI::Option* stratum =
      app.add_option_function<uint32_t>(
             "--stratum", [&clock](uint32_t value) { clock.mutable_ntp()->set_stratum(value); },
             "NTP's stratum, 0 to 255")
          ->type_name("N")
          ->check(CLI::Range(0, 255));
  CLI::Option* dispersion = AddDurationOption(
      app, "--root-dispersion",
      [&clock](absl::Duration value) {
        *clock.mutable_ntp()->mutable_root_dispersion() = ToProto(value);
      },
      "NTP's root dispersion, to 65535s", -kDurationMax, kDurationMax);
  CLI::Option* kiss =
      app.add_option_function<std::string>(
             "--kiss",
             [&clock](const std::string& code) { clock.mutable_ntp()->set_kiss_code(code); },
             "NTP answers are refusals with this code, such as\nRATE or DENY")
          ->type_name("CODE");
  freeze->excludes(rate);
  kiss->excludes(stratum);
  return {offset, rate, freeze, leap, stratum, dispersion, kiss};
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate test-clock                    what is told now
  rawgate test-clock --offset 1h        an hour ahead
  rawgate test-clock --offset -5s --rate 2
  rawgate test-clock --freeze           the same time again and again
  rawgate test-clock --leap unsynchronised --stratum 16
  rawgate test-clock --kiss RATE        NTP clients are told to slow down
  rawgate test-clock --real             the machine's clock again

For seeing what clients make of a clock that is wrong. Each setting replaces
the one before as a whole, and holds for every listener and call of the time
service, which must have been started with --test_clock. The machine's clock
stays as it is.)";

}  // namespace

void AddTestClockCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<TestClockOptions>();
  CLI::App* command =
      app.add_subcommand("test-clock", "Show or set how wrong the far side's time is");
  command->group(kOperationsGroup)->footer(kExamples);
  std::vector<CLI::Option*> settings = AddSettings(*command, options->clock);
  CLI::Option* real =
      command->add_flag("--real", options->real, "The machine's clock, and honest answers");
  for (CLI::Option* setting : settings) real->excludes(setting);
  AddJsonFormat(*command, options->format, "a GetTestClockResponse, or a\nSetTestClockResponse,");
  const auto given = [](CLI::Option* option) { return option->count() > 0; };
  command->callback([&chosen, options, settings, real, given] {
    options->set = given(real) || std::any_of(settings.begin(), settings.end(), given);
    chosen.run = [options](Context& context) { return TestClock(*options, context); };
  });
}

}  // namespace rawgate::cli
