// rawgate ps, start, stop.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/fault_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/replicas.h"
#include "cli/subject.h"
#include "cli/text_table.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;

// --- ps

std::string Since(const google::protobuf::Timestamp& timestamp, OutputFormat format) {
  if (timestamp.seconds() == 0) return "";
  return AgeCell(ToTime(timestamp), absl::Now(), format);
}

Style StyleOf(control::v1::ServiceState state) {
  switch (state) {
    case control::v1::SERVICE_STATE_RUNNING:
      return Style::kGood;
    case control::v1::SERVICE_STATE_FAILED:
    case control::v1::SERVICE_STATE_UNREACHABLE:
      return Style::kBad;
    default:
      return Style::kPlain;
  }
}

// Nothing where the service has one process only.
struct ReplicaCells {
  std::string instance;
  std::string address;
};

ReplicaCells CellsOf(const control::v1::Service& service, const std::set<std::string>& replicated) {
  if (replicated.count(service.name()) == 0) return {};
  return {ShortInstance(service.instance()), Printable(service.address())};
}

std::vector<std::string> RowOf(const control::v1::Service& service, const ReplicaCells& cells,
                               OutputFormat format) {
  return {Printable(service.name()),
          cells.instance,
          StateName(service.state()),
          Since(service.state_time(), format),
          absl::StrCat(service.counters().connections_open()),
          absl::StrCat(service.counters().requests()),
          cells.address};
}

// Named as 'rawgate stop' takes it.
std::vector<std::string> RowOf(const control::v1::Service& service,
                               const control::v1::Listener& listener, const ReplicaCells& cells,
                               OutputFormat format) {
  const std::string& address =
      listener.bound_address().empty() ? listener.configured_address() : listener.bound_address();
  // What is known of a process that does not answer is of the past.
  const bool unknown = service.state() == control::v1::SERVICE_STATE_UNREACHABLE;
  return {absl::StrCat(Printable(service.name()), "/", Printable(listener.name())), cells.instance,
          // A star where it misbehaves on purpose.
          unknown ? "unknown"
                  : absl::StrCat(StateName(listener.state()), listener.has_faults() ? "*" : ""),
          Since(listener.state_time(), format),
          absl::StrCat(listener.counters().connections_open()),
          absl::StrCat(listener.counters().requests()), Printable(address)};
}

// What is wrong, a line each: "echo/udp: bind udp://...: Address already in use".
std::string ProblemsOf(const control::v1::Service& service, const ReplicaCells& cells) {
  std::string problems;
  const auto add = [&](const std::string& name, const std::string& error) {
    if (error.empty()) return;
    absl::StrAppend(&problems, name, cells.address.empty() ? "" : " at ", cells.address, ": ",
                    Printable(error), "\n");
  };
  add(Printable(service.name()), service.last_error());
  for (const auto& listener : service.listeners()) {
    if (listener.last_error() == service.last_error()) continue;
    add(absl::StrCat(Printable(service.name()), "/", Printable(listener.name())),
        listener.last_error());
  }
  for (const auto& listener : service.listeners()) {
    if (!listener.has_faults()) continue;
    add(absl::StrCat("* ", Printable(service.name()), "/", Printable(listener.name())),
        absl::StrCat("on purpose: ", FaultsText(listener.faults())));
  }
  return problems;
}

std::string ServicesText(const control::v1::ListServicesResponse& response, OutputFormat format,
                         const Console& console) {
  constexpr size_t kState = 2;
  using Align = TextTable::Align;
  TextTable table({{.heading = "NAME"},
                   {.heading = "INSTANCE", .optional = true},
                   {.heading = "STATE"},
                   {.heading = "SINCE", .align = Align::kRight},
                   {.heading = "OPEN", .align = Align::kRight},
                   {.heading = "REQUESTS", .align = Align::kRight},
                   {.heading = "ADDRESS", .shortened = true}});
  const std::set<std::string> replicated = ReplicatedServices(response);
  std::string problems;
  for (const auto& service : response.services()) {
    const ReplicaCells cells = CellsOf(service, replicated);
    table.AddRow(RowOf(service, cells, format));
    table.Paint(kState, StyleOf(service.state()));
    for (const auto& listener : service.listeners()) {
      table.AddRow(RowOf(service, listener, cells, format));
      const bool known = service.state() != control::v1::SERVICE_STATE_UNREACHABLE;
      table.Paint(kState, known ? StyleOf(listener.state()) : Style::kPlain);
    }
    problems += ProblemsOf(service, cells);
  }
  if (format == OutputFormat::kPlain) return table.PlainText();
  return absl::StrCat(table.Text(console.OutputIsColored(), console.Columns()),
                      problems.empty() ? "" : "\n", problems);
}

absl::StatusOr<int> ListServices(OutputFormat format, Context& context) {
  const auto stub = context.gateway.Stub<ControlService>();
  const auto response = Call(*stub, &ControlService::Stub::ListServices, {});
  if (!response.ok()) return response.status();
  const absl::Status written = context.console.Out(
      format == OutputFormat::kJson ? JsonText(*response)
                                    : ServicesText(*response, format, context.console));
  if (!written.ok()) return written;
  return 0;
}

// --- start, stop

struct Change : Subject {
  OutputFormat format = OutputFormat::kText;
};

// "time running: udp://127.0.0.1:9000, udp://[::1]:9000", "echo/tcp stopped". With its instance,
// where it is one of several.
std::string Line(const Subject& subject, const control::v1::Service& service, bool one_of_several) {
  control::v1::ServiceState state = service.state();
  std::vector<std::string> addresses;
  for (const auto& listener : service.listeners()) {
    if (!subject.listener.empty() && listener.name() != subject.listener) continue;
    if (!subject.listener.empty()) state = listener.state();
    if (!listener.bound_address().empty()) addresses.push_back(Printable(listener.bound_address()));
  }
  const bool shows_addresses = state == control::v1::SERVICE_STATE_RUNNING && !addresses.empty();
  return absl::StrCat(subject.Name(), one_of_several ? " " : "",
                      one_of_several ? ShortInstance(service.instance()) : "", " ",
                      StateName(state), shows_addresses ? ": " : "",
                      shows_addresses ? absl::StrJoin(addresses, ", ") : "", "\n");
}

template <typename Response>
absl::StatusOr<int> Report(const Change& subject, const Response& response,
                           const Console& console) {
  // A service that answers for itself may be of a version that knows of no replicas.
  std::string text = response.replicas().empty() ? Line(subject, response.service(), false) : "";
  for (const auto& replica : response.replicas()) {
    text += Line(subject, replica, !subject.instance.empty() || response.replicas_size() > 1);
  }
  if (subject.format == OutputFormat::kJson) text = JsonText(response);
  const absl::Status written = console.Out(text);
  if (!written.ok()) return written;
  return 0;
}

absl::StatusOr<int> StartService(const Change& subject, Context& context) {
  control::v1::StartServiceRequest request;
  request.set_service(subject.service);
  request.set_listener(subject.listener);
  const auto stub = context.gateway.Stub<ControlService>();
  const auto instance = FindInstance(*stub, subject.service, subject.instance);
  if (!instance.ok()) return instance.status();
  request.set_instance(*instance);
  const auto response = Call(*stub, &ControlService::Stub::StartService, request);
  if (!response.ok()) return response.status();
  return Report(subject, *response, context.console);
}

constexpr absl::Duration kDefaultGrace = absl::Seconds(5);

absl::StatusOr<int> StopService(const Change& subject, absl::Duration grace, Context& context) {
  control::v1::StopServiceRequest request;
  request.set_service(subject.service);
  request.set_listener(subject.listener);
  *request.mutable_grace() = ToProto(grace);
  const auto stub = context.gateway.Stub<ControlService>();
  const auto instance = FindInstance(*stub, subject.service, subject.instance);
  if (!instance.ok()) return instance.status();
  request.set_instance(*instance);
  const auto response =
      Call(*stub, &ControlService::Stub::StopService, request, grace + kCallDeadline);
  if (!response.ok()) return response.status();
  return Report(subject, *response, context.console);
}

constexpr char kPsExamples[] =
    R"(Examples:
  rawgate ps
  rawgate ps --plain | awk -F '\t' '$3 != "running"'
  rawgate ps --json | jq -r '.services[].listeners[].boundAddress'

INSTANCE tells the processes of a service that has several apart.
A star after a state: the listener misbehaves on purpose (rawgate fault).
OPEN counts open stream connections ('rawgate connections' lists UDP peers and
gRPC clients, too), REQUESTS those answered since the process started.)";

constexpr char kStartExamples[] =
    R"(Examples:
  rawgate start time          every listener of the service
  rawgate start echo/tcp      one listener, named as in 'rawgate ps'
  rawgate start echo --instance 3f9a1c2b

Of a service with several processes all are started, or the one whose INSTANCE,
or the beginning of it, is given.)";

constexpr char kStopExamples[] =
    R"(Examples:
  rawgate stop time           new clients are refused at once
  rawgate stop echo/tcp       one listener, named as in 'rawgate ps'
  rawgate stop exec --grace 0 close everything now
  rawgate stop echo --instance 3f9a1c2b

Of a service with several processes all are stopped, or the one whose INSTANCE,
or the beginning of it, is given.)";

}  // namespace

void AddServiceCommands(CLI::App& app, Command& chosen) {
  const auto format = std::make_shared<OutputFormat>(OutputFormat::kText);
  CLI::App* ps = app.add_subcommand("ps", "List services and their listeners");
  ps->group(kServicesGroup)->footer(kPsExamples);
  AddOutputFormat(*ps, *format, "a ListServicesResponse");
  ps->callback([&chosen, format] {
    chosen.run = [format](Context& context) { return ListServices(*format, context); };
  });

  const auto subject = std::make_shared<Change>();
  CLI::App* start = app.add_subcommand("start", "Start a service, or one of its listeners");
  start->group(kServicesGroup)->footer(kStartExamples);
  AddSubjectOption(*start, *subject, "What to start")->required();
  AddJsonFormat(*start, subject->format, "a StartServiceResponse");
  start->callback([&chosen, subject] {
    chosen.run = [subject](Context& context) { return StartService(*subject, context); };
  });

  const auto grace = std::make_shared<absl::Duration>(kDefaultGrace);
  CLI::App* stop = app.add_subcommand("stop", "Stop a service, or one of its listeners");
  stop->group(kServicesGroup)->footer(kStopExamples);
  AddSubjectOption(*stop, *subject, "What to stop")->required();
  AddJsonFormat(*stop, subject->format, "a StopServiceResponse");
  AddDurationOption(*stop, "--grace", *grace, "How long requests in progress may go on (5s)");
  stop->callback([&chosen, subject, grace] {
    chosen.run = [subject, grace](Context& context) {
      return StopService(*subject, *grace, context);
    };
  });
}

}  // namespace rawgate::cli
