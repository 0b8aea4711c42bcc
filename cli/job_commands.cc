// rawgate jobs, kill.
#include <array>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/text_table.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using exec::v1::ExecService;

// --- jobs

struct ListOptions {
  bool all = false;
  OutputFormat format = OutputFormat::kText;
};

// From as many pages as there are; the service bounds them.
absl::StatusOr<exec::v1::ListJobsResponse> Fetch(const ListOptions& options, Context& context) {
  constexpr int kPage = 1000;
  const auto stub = context.gateway.Stub<ExecService>();
  exec::v1::ListJobsResponse all;
  exec::v1::ListJobsRequest request;
  request.set_page_size(kPage);
  request.set_running_only(!options.all);
  do {
    const auto page = Call(*stub, &ExecService::Stub::ListJobs, request);
    if (!page.ok()) return page.status();
    all.mutable_jobs()->MergeFrom(page->jobs());
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return all;
}

// How long it ran, or has run so far; empty when it has not started.
std::string DurationOf(const exec::v1::Job& job, absl::Time now, OutputFormat format) {
  if (!job.has_start_time()) return "";
  const absl::Time end = job.has_outcome() ? ToTime(job.outcome().end_time()) : now;
  return DurationCell(end - ToTime(job.start_time()), format);
}

std::string JobsText(const exec::v1::ListJobsResponse& response, OutputFormat format,
                     bool colored) {
  TextTable table({{"ID"},
                   {"STATE"},
                   {"STARTED"},
                   {"DURATION", TextTable::Align::kRight},
                   {"LISTENER"},
                   {"COMMAND"}});
  const absl::Time now = absl::Now();
  for (const auto& job : response.jobs()) {
    table.AddRow({Printable(job.job_id()),
                  job.has_outcome() ? OutcomeName(job.outcome()) : StateName(job.state()),
                  job.has_start_time() ? TimeCell(ToTime(job.start_time()), format) : "",
                  DurationOf(job, now, format), Printable(job.listener()),
                  Printable(job.command())});
  }
  return table.In(format, colored);
}

absl::StatusOr<int> ListJobs(const ListOptions& options, Context& context) {
  const auto response = Fetch(options, context);
  if (!response.ok()) return response.status();
  const absl::Status written = context.console.Out(
      options.format == OutputFormat::kJson
          ? JsonText(*response)
          : JobsText(*response, options.format, context.console.OutputIsColored()));
  if (!written.ok()) return written;
  return 0;
}

// --- kill

struct SignalName {
  absl::string_view name;
  // As this machine has it, which is what people type.
  int number;
  exec::v1::Signal signal;
};

constexpr std::array kSignals = std::to_array<SignalName>({
    {"HUP", SIGHUP, exec::v1::SIGNAL_HUP},
    {"INT", SIGINT, exec::v1::SIGNAL_INT},
    {"QUIT", SIGQUIT, exec::v1::SIGNAL_QUIT},
    {"TERM", SIGTERM, exec::v1::SIGNAL_TERM},
    {"KILL", SIGKILL, exec::v1::SIGNAL_KILL},
    {"USR1", SIGUSR1, exec::v1::SIGNAL_USR1},
    {"USR2", SIGUSR2, exec::v1::SIGNAL_USR2},
});

// "TERM", "SIGTERM", "term" and "15" are the same.
exec::v1::Signal ParseSignal(const std::string& text) {
  const std::string upper = absl::AsciiStrToUpper(text);
  const absl::string_view name = absl::StripPrefix(upper, "SIG");
  int number = 0;
  const bool is_number = absl::SimpleAtoi(text, &number);
  for (const SignalName& known : kSignals) {
    if (name == known.name || (is_number && number == known.number)) return known.signal;
  }
  throw CLI::ValidationError(
      "SIGNAL",
      absl::StrCat("'", text, "' is none of ",
                   absl::StrJoin(kSignals, ", ", [](std::string* out, const SignalName& known) {
                     absl::StrAppend(out, known.name);
                   })));
}

absl::StatusOr<int> SignalJob(const exec::v1::SignalJobRequest& request, Context& context) {
  const auto stub = context.gateway.Stub<ExecService>();
  const auto response = Call(*stub, &ExecService::Stub::SignalJob, request);
  if (!response.ok()) return response.status();
  return 0;
}

constexpr char kJobsExamples[] =
    R"(Examples:
  rawgate jobs                what runs, or waits for its turn
  rawgate jobs --all          also what has ended, as far as it is remembered
  rawgate jobs --json | jq -r '.jobs[].jobId'

The newest first. LISTENER is how a command came: "rpc" for those of 'rawgate
run', else the raw listener. 'rawgate attach ID' shows what one writes.)";

constexpr char kKillExamples[] =
    R"(Examples:
  rawgate kill 5f0c7a21-42          end it in good order (TERM)
  rawgate kill 5f0c7a21-42 KILL     at once; SIGKILL, kill and 9 are the same

The ID is the one that 'rawgate jobs' shows. The command and all that descends
from it get the signal: HUP, INT, QUIT, TERM, KILL, USR1 or USR2.)";

}  // namespace

void AddJobCommands(CLI::App& app, Command& chosen) {
  const auto list = std::make_shared<ListOptions>();
  CLI::App* jobs = app.add_subcommand("jobs", "List commands that run, wait or have ended");
  jobs->group(kOperationsGroup)->footer(kJobsExamples);
  jobs->add_flag("--all", list->all, "Also those that have ended");
  AddOutputFormat(*jobs, list->format, "a ListJobsResponse");
  jobs->callback([&chosen, list] {
    chosen.run = [list](Context& context) { return ListJobs(*list, context); };
  });

  const auto request = std::make_shared<exec::v1::SignalJobRequest>();
  request->set_signal(exec::v1::SIGNAL_TERM);
  request->set_target(exec::v1::SIGNAL_TARGET_TREE);
  CLI::App* kill = app.add_subcommand("kill", "Send a signal to a job");
  kill->group(kOperationsGroup)->footer(kKillExamples);
  kill->add_option("ID", *request->mutable_job_id(), "Which job")->required();
  kill->add_option_function<std::string>(
      "SIGNAL", [request](const std::string& text) { request->set_signal(ParseSignal(text)); },
      "What to send it (TERM)");
  kill->callback([&chosen, request] {
    chosen.run = [request](Context& context) { return SignalJob(*request, context); };
  });
}

}  // namespace rawgate::cli
