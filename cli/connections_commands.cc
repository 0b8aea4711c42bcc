// rawgate connections, close.
#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/replicas.h"
#include "cli/text_table.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;

struct ListOptions {
  std::string service;
  int limit = 1000;
  OutputFormat format = OutputFormat::kText;
};

// The first `limit` connections, from as many pages as that takes; next_page_token is that of the
// last one.
absl::StatusOr<control::v1::ListConnectionsResponse> Fetch(const ListOptions& options,
                                                           Context& context) {
  constexpr int kPage = 1000;
  const auto stub = context.gateway.Stub<ControlService>();
  control::v1::ListConnectionsResponse all;
  do {
    control::v1::ListConnectionsRequest request;
    request.set_service(options.service);
    request.set_page_size(std::min(kPage, options.limit - all.connections_size()));
    request.set_page_token(all.next_page_token());
    auto page = Call(*stub, &ControlService::Stub::ListConnections, request);
    if (!page.ok()) return page.status();
    all.mutable_connections()->MergeFrom(page->connections());
    all.set_next_page_token(page->next_page_token());
  } while (!all.next_page_token().empty() && all.connections_size() < options.limit);
  return all;
}

std::string ConnectionsText(const control::v1::ListConnectionsResponse& response,
                            const std::set<std::string>& replicated, OutputFormat format,
                            bool colored) {
  using Align = TextTable::Align;
  TextTable table({{.heading = "NAME"},
                   {.heading = "INSTANCE", .optional = true},
                   {.heading = "ID", .align = Align::kRight},
                   {.heading = "PEER"},
                   {.heading = "USER", .optional = true},
                   {.heading = "AGE", .align = Align::kRight},
                   {.heading = "RECEIVED", .align = Align::kRight},
                   {.heading = "SENT", .align = Align::kRight},
                   {.heading = "REQUESTS", .align = Align::kRight}});
  const absl::Time now = absl::Now();
  for (const auto& connection : response.connections()) {
    table.AddRow(
        {absl::StrCat(Printable(connection.service()), "/", Printable(connection.listener())),
         replicated.count(connection.service()) > 0 ? ShortInstance(connection.instance()) : "",
         absl::StrCat(connection.id()), Printable(connection.peer()), Printable(connection.user()),
         format == OutputFormat::kPlain ? TimeCell(ToTime(connection.open_time()), format)
                                        : HumanDuration(now - ToTime(connection.open_time())),
         SizeCell(connection.bytes_received(), format), SizeCell(connection.bytes_sent(), format),
         absl::StrCat(connection.requests())});
  }
  return table.In(format, colored);
}

absl::StatusOr<int> ListConnections(const ListOptions& options, Context& context) {
  const auto response = Fetch(options, context);
  if (!response.ok()) return response.status();
  std::set<std::string> replicated;
  const bool json = options.format == OutputFormat::kJson;
  if (!json) {
    const auto stub = context.gateway.Stub<ControlService>();
    const auto services = Call(*stub, &ControlService::Stub::ListServices, {});
    if (!services.ok()) return services.status();
    replicated = ReplicatedServices(*services);
  }
  const absl::Status written =
      context.console.Out(json ? JsonText(*response)
                               : ConnectionsText(*response, replicated, options.format,
                                                 context.console.OutputIsColored()));
  if (!written.ok()) return written;
  if (!json && !response->next_page_token().empty()) {
    context.console.Error(absl::StrCat("There are more than these ", response->connections_size(),
                                       "; --limit sets how many are listed.\n"));
  }
  return 0;
}

struct CloseOptions {
  std::string service;
  uint64_t id = 0;
  // Of the process, or its beginning.
  std::string instance;
};

absl::StatusOr<int> CloseConnection(const CloseOptions& options, Context& context) {
  control::v1::CloseConnectionRequest request;
  request.set_service(options.service);
  request.set_connection_id(options.id);
  const auto stub = context.gateway.Stub<ControlService>();
  const auto instance = FindInstance(*stub, options.service, options.instance);
  if (!instance.ok()) return instance.status();
  request.set_instance(*instance);
  const auto response = Call(*stub, &ControlService::Stub::CloseConnection, request);
  if (!response.ok()) return response.status();
  return 0;
}

constexpr char kConnectionsExamples[] =
    R"(Examples:
  rawgate connections
  rawgate connections echo
  rawgate connections --json | jq -r '.connections[].peer'

Listed are open connections, UDP peers heard from recently, and gRPC clients.)";

constexpr char kCloseExamples[] =
    R"(Examples:
  rawgate close echo 17       the ID that 'rawgate connections' shows
  rawgate close gateway/grpc 3
  rawgate close echo 17 --instance 3f9a1c2b

Each process counts for itself: of a service with several, the INSTANCE, or the
beginning of it, says whose ID it is.)";

}  // namespace

void AddConnectionCommands(CLI::App& app, Command& chosen) {
  const auto list = std::make_shared<ListOptions>();
  CLI::App* connections = app.add_subcommand("connections", "List open connections");
  connections->group(kServicesGroup)->footer(kConnectionsExamples);
  connections->add_option("SERVICE", list->service, "Only this service's");
  connections->add_option("--limit", list->limit, "List at most N (1000)")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  AddOutputFormat(*connections, list->format, "a ListConnectionsResponse");
  connections->callback([&chosen, list] {
    chosen.run = [list](Context& context) { return ListConnections(*list, context); };
  });

  const auto close = std::make_shared<CloseOptions>();
  CLI::App* close_app = app.add_subcommand("close", "Close one connection at once");
  close_app->group(kServicesGroup)->footer(kCloseExamples);
  // As 'rawgate connections' names them. The ID alone says which one it is.
  const auto take_service = [close](const std::string& text) {
    close->service = text.substr(0, text.find('/'));
  };
  close_app
      ->add_option_function<std::string>("SERVICE[/LISTENER]", take_service,
                                         "Whose connection it is")
      ->required();
  close_app->add_option("ID", close->id, "Which one")->required();
  close_app->add_option("--instance", close->instance, "Of this replica of the service")
      ->type_name("ID");
  close_app->callback([&chosen, close] {
    chosen.run = [close](Context& context) { return CloseConnection(*close, context); };
  });
}

}  // namespace rawgate::cli
