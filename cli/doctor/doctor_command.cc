// rawgate doctor.
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/doctor/check.h"
#include "cli/doctor/content_checks.h"
#include "cli/doctor/credential_checks.h"
#include "cli/doctor/gateway_checks.h"
#include "cli/doctor/service_checks.h"
#include "cli/output_format.h"

namespace rawgate::cli {
namespace {

// What --sandbox=landlock takes: older ones let files be truncated anywhere.
constexpr long kLandlockVersion = 3;

void CheckKernel(CheckList& checks) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version >= kLandlockVersion) {
    checks.Ok(
        "kernel.landlock", "kernel",
        absl::StrCat("has Landlock (version ", version, "): exec can have --sandbox=landlock"));
  } else {
    checks.Skip("kernel.landlock", "kernel",
                "has no Landlock of version 3: exec cannot have --sandbox=landlock");
  }
}

void CheckAll(const Context& context, CheckList& checks) {
  CheckCredentials(context.security_options, context.security_status, checks);
  const auto address = AddressOfTarget(context.gateway.target());
  const bool local = address && address->is_loopback();
  const auto services = CheckGateway(context, checks);
  if (!services) {
    checks.Skip("service.state", "", "services are asked through the gateway");
    return;
  }
  const std::string host = address && !address->is_unix() ? address->host : "127.0.0.1";
  CheckServices(*services, kVersion, local, checks);
  ProbeListeners(*services, local, host, checks);
  CheckContents(context.gateway, *services, checks);
  if (local) CheckKernel(checks);
}

absl::StatusOr<int> Doctor(OutputFormat format, Context& context) {
  CheckList checks;
  CheckAll(context, checks);
  std::string text;
  switch (format) {
    case OutputFormat::kText:
      text = ChecksText(checks, context.console.Columns(), context.console.OutputIsColored());
      break;
    case OutputFormat::kPlain:
      text = ChecksPlain(checks);
      break;
    case OutputFormat::kJson:
      text = ChecksJson(checks);
      break;
  }
  const absl::Status written = context.console.Out(text);
  if (!written.ok()) return written;
  return checks.Count(CheckState::kFailure) == 0 ? 0 : kExitFailure;
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate doctor
  rawgate --gateway lab.example --tls-ca ca.pem --token-file token doctor
  rawgate doctor --json | jq '.checks[] | select(.state != "ok")'

Looks at credentials and their expiry, the way to the gateway, every service
and listener (with a socket of its own, from here), versions, clocks, how exec
confines commands, and space for files. What is not good comes with a remedy.
Nothing is changed, but that each run is a peer of echo and time for ten
minutes; each look has a limit of a few seconds, and the next one is
taken when one fails.

Exit codes: 0 no failure, 1 some failure (FAIL); warnings alone are no failure.
JSON: {"ok", "checks": [{"id", "subject", "state", "detail", "remedy"}]}, where
state is ok, warning, failure or skipped.)";

}  // namespace

void AddDoctorCommand(CLI::App& app, Command& chosen) {
  const auto format = std::make_shared<OutputFormat>(OutputFormat::kText);
  CLI::App* doctor = app.add_subcommand("doctor", "Find out what is wrong, and what helps");
  doctor->group(kToolsGroup)->footer(kExamples);
  AddOutputFormat(*doctor, *format, "the findings");
  doctor->callback([&chosen, format] {
    chosen.awaits_gateway = false;
    chosen.run = [format](Context& context) { return Doctor(*format, context); };
  });
}

}  // namespace rawgate::cli
