// rawgate fault.
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/fault_options.h"
#include "cli/fault_table.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/replicas.h"
#include "cli/subject.h"
#include "cli/text_table.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;
using control::v1::Faults;
using control::v1::ListServicesResponse;
using control::v1::SetFaultsResponse;

absl::StatusOr<int> Print(const Console& console, const std::string& text) {
  const absl::Status written = console.Out(text);
  if (!written.ok()) return written;
  return 0;
}

// --- show

absl::StatusOr<int> Show(const Subject& subject, OutputFormat format, Context& context) {
  const auto stub = context.gateway.Stub<ControlService>();
  const auto response = Call(*stub, &ControlService::Stub::ListServices, {});
  if (!response.ok()) return response.status();
  const ListServicesResponse faulty = WithFaults(*response, subject);
  if (format == OutputFormat::kJson) return Print(context.console, JsonText(faulty));
  const TextTable table = FaultTable(faulty, ReplicatedServices(*response));
  if (format == OutputFormat::kPlain) return Print(context.console, table.PlainText());
  return Print(context.console, table.empty() ? "no faults\n" : table.Text());
}

// --- set

struct SetOptions {
  FaultOptions faults;
  bool keep = false;
};

// What the replicas are now, as a list.
ListServicesResponse AsList(const SetFaultsResponse& response) {
  ListServicesResponse list;
  *list.mutable_services() = response.replicas();
  return list;
}

// Of a listener that is named, what it can do alone: the other kind's would be refused.
void LeaveOwnKind(const control::v1::Listener& listener, Faults& faults) {
  const bool datagrams = listener.transport() == control::v1::TRANSPORT_UDP ||
                         listener.transport() == control::v1::TRANSPORT_UNIX_DATAGRAM;
  // What only the other kind has is left in, so that the service says what is wrong.
  const auto leave_times = [](auto& way) {
    way.clear_delay();
    way.clear_jitter();
    way.clear_bytes_per_second();
  };
  const auto leave = [&](bool has, auto* way, auto clear) {
    if (!has) return;
    leave_times(*way);
    if (way->ByteSizeLong() == 0) clear();
  };
  if (datagrams) {
    leave(faults.has_stream_received(), faults.mutable_stream_received(),
          [&] { faults.clear_stream_received(); });
    leave(faults.has_stream_sent(), faults.mutable_stream_sent(),
          [&] { faults.clear_stream_sent(); });
  } else {
    leave(faults.has_datagrams_received(), faults.mutable_datagrams_received(),
          [&] { faults.clear_datagrams_received(); });
    leave(faults.has_datagrams_sent(), faults.mutable_datagrams_sent(),
          [&] { faults.clear_datagrams_sent(); });
  }
}

// The faults that are asked for, of the listener that is named as it is now.
absl::Status Prepare(const SetOptions& options, const Subject& subject,
                     control::v1::SetFaultsRequest& request, ControlService::Stub& stub) {
  Faults& faults = *request.mutable_faults();
  options.faults.Apply(faults);
  if (subject.listener.empty()) return absl::OkStatus();
  control::v1::GetServiceRequest question;
  question.set_service(subject.service);
  question.set_instance(request.instance());
  const auto answer = Call(stub, &ControlService::Stub::GetService, question);
  if (!answer.ok()) return answer.status();
  for (const auto& listener : answer->service().listeners()) {
    if (listener.name() != subject.listener) continue;
    if (options.keep) {
      faults = listener.faults();
      options.faults.Apply(faults);
    }
    LeaveOwnKind(listener, faults);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Set(const Subject& subject, const SetOptions& options, OutputFormat format,
                        Context& context) {
  const auto stub = context.gateway.Stub<ControlService>();
  const auto instance = FindInstance(*stub, subject.service, subject.instance);
  if (!instance.ok()) return instance.status();
  control::v1::SetFaultsRequest request;
  request.set_service(subject.service);
  request.set_listener(subject.listener);
  request.set_instance(*instance);
  const absl::Status prepared = Prepare(options, subject, request, *stub);
  if (!prepared.ok()) return prepared;
  const auto response = Call(*stub, &ControlService::Stub::SetFaults, request);
  if (!response.ok()) return response.status();
  if (format == OutputFormat::kJson) return Print(context.console, JsonText(*response));
  const ListServicesResponse now = AsList(*response);
  const TextTable table =
      FaultTable(WithFaults(now, {.service = subject.service, .listener = subject.listener}),
                 ReplicatedServices(now));
  return Print(context.console, format == OutputFormat::kPlain ? table.PlainText() : table.Text());
}

// --- clear

absl::StatusOr<int> Clear(const Subject& subject, OutputFormat format, Context& context) {
  const auto stub = context.gateway.Stub<ControlService>();
  const auto instance = FindInstance(*stub, subject.service, subject.instance);
  if (!instance.ok()) return instance.status();
  std::vector<std::string> services = {subject.service};
  if (subject.service.empty()) {
    const auto all = Call(*stub, &ControlService::Stub::ListServices, {});
    if (!all.ok()) return all.status();
    const ListServicesResponse faulty = WithFaults(*all, subject);
    services.clear();
    for (const auto& service : faulty.services()) {
      if (services.empty() || services.back() != service.name()) services.push_back(service.name());
    }
  }
  std::string json;
  for (const std::string& service : services) {
    control::v1::SetFaultsRequest request;
    request.set_service(service);
    request.set_listener(subject.listener);
    request.set_instance(*instance);
    const auto response = Call(*stub, &ControlService::Stub::SetFaults, request);
    if (!response.ok()) return response.status();
    json += JsonLine(*response);
  }
  return Print(context.console, format == OutputFormat::kJson ? json : "no faults\n");
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate fault set echo/tcp --delay 100ms --jitter 20ms --sent
  rawgate fault set time/udp --loss 10% --seed 7
  rawgate fault set file/tcp --received --reset-after 1M
  rawgate fault set exec --split 1
  rawgate fault                       what misbehaves, and what that has done
  rawgate fault clear                 everything behaves again

Listeners of raw clients do wrong what a bad network does, so that you see
what your clients make of it. Their services must have been started with
--allow_faults, and it takes the role admin. Stopping a listener ends it.)";

constexpr char kSetExamples[] =
    R"(Examples:
  rawgate fault set echo/tcp --delay 100ms --jitter 20ms
  rawgate fault set echo/tcp --sent --split 1   each byte a segment of its own
  rawgate fault set file/tcp --received --reset-after 1M
  rawgate fault set file/tcp --fail-first 3
  rawgate fault set time/udp --loss 10% --duplication 1% --seed 7
  rawgate fault set time/udp --keep --sent --delay 2s

Both ways, unless --received or --sent is there. Everything that was set before
is over, unless --keep is there. Times and rates are for streams and datagrams
alike. Connections that are open already have no faults.
The seed that is printed repeats which datagrams are hit.)";

constexpr char kShowExamples[] =
    R"(Examples:
  rawgate fault show
  rawgate fault show echo/udp
  rawgate fault show --json | jq '.services[].listeners[].faultCounters'

SO FAR counts what was hit since the faults were set.)";

constexpr char kClearExamples[] =
    R"(Examples:
  rawgate fault clear           everything behaves again
  rawgate fault clear echo/tcp

What waited goes on at once, also on connections that are open.)";

// Of the commands below `fault`.
constexpr char kFaultGroup[] = "Commands";

}  // namespace

void AddFaultCommand(CLI::App& app, Command& chosen) {
  struct Given {
    Subject subject;
    SetOptions set;
    OutputFormat format = OutputFormat::kText;
  };
  const auto given = std::make_shared<Given>();
  CLI::App* command = app.add_subcommand("fault", "Have a listener misbehave, to try clients");
  command->group(kOperationsGroup)->footer(kExamples)->require_subcommand(0, 1);
  const auto show = [&chosen, given] {
    chosen.run = [given](Context& context) { return Show(given->subject, given->format, context); };
  };

  CLI::App* set = command->add_subcommand("set", "What it does wrong from now on");
  set->footer(kSetExamples)->fallthrough()->group(kFaultGroup);
  AddSubjectOption(*set, given->subject, "What is to misbehave")->required();
  AddFaultOptions(*set, given->set.faults);
  CLI::Option* keep =
      set->add_flag("--keep", given->set.keep, "What was set before, but for what is given here");
  AddOutputFormat(*set, given->format, "a SetFaultsResponse");
  set->callback([&chosen, given, keep] {
    const FaultOptions& faults = given->set.faults;
    if (faults.changes.empty() && faults.fail_first == 0) {
      throw CLI::ValidationError("nothing to do wrong is given; 'rawgate fault clear' ends it");
    }
    if (keep->count() > 0 && given->subject.listener.empty()) {
      throw CLI::ValidationError("--keep", "needs SERVICE/LISTENER");
    }
    chosen.run = [given](Context& context) {
      return Set(given->subject, given->set, given->format, context);
    };
  });

  CLI::App* list = command->add_subcommand("show", "What misbehaves, and what that has done");
  list->footer(kShowExamples)->fallthrough()->group(kFaultGroup);
  AddSubjectOption(*list, given->subject, "Only this");
  AddOutputFormat(*list, given->format, "a ListServicesResponse of those");
  list->callback(show);

  CLI::App* clear = command->add_subcommand("clear", "It behaves again");
  clear->footer(kClearExamples)->fallthrough()->group(kFaultGroup);
  AddSubjectOption(*clear, given->subject, "What is to; without it, everything");
  AddJsonFormat(*clear, given->format, "a SetFaultsResponse for each service");
  clear->callback([&chosen, given] {
    chosen.run = [given](Context& context) {
      return Clear(given->subject, given->format, context);
    };
  });

  // Alone it is 'fault show'.
  AddOutputFormat(*command, given->format, "a ListServicesResponse of those that do");
  command->callback([command, show] {
    if (command->get_subcommands().empty()) show();
  });
}

}  // namespace rawgate::cli
