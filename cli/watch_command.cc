// rawgate watch.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/event_line.h"
#include "cli/proto_text.h"
#include "cli/replicas.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;

struct WatchOptions {
  std::vector<std::string> services;
  bool chunks = false;
  bool json = false;
  uint32_t sample = 32;
};

std::string JsonLines(const control::v1::WatchEventsResponse& response) {
  std::string text;
  for (const auto& lost : response.lost()) {
    std::string object = JsonLine(lost);
    object.pop_back();
    absl::StrAppend(&text, "{\"lost\":", object, "}\n");
  }
  for (const auto& event : response.events()) text += JsonLine(event);
  return text;
}

std::string TextLines(const control::v1::WatchEventsResponse& response, WatchedReplicas& replicas,
                      ProgressThinning& thinning, int columns) {
  std::string text;
  for (const auto& lost : response.lost()) {
    const std::string replica = replicas.NameOf(lost.service(), lost.instance());
    absl::StrAppend(&text, EventsLostLine(lost, absl::Now(), replica), "\n");
  }
  replicas.Take(response);
  for (const auto& event : response.events()) {
    if (!thinning.Shows(event)) continue;
    const std::string replica = replicas.NameOf(event.service(), event.instance());
    absl::StrAppend(&text, EventLine(event, columns, replica), "\n");
  }
  return text;
}

// On standard error, where it is no event: from here on nothing is missed.
void Announce(const control::v1::WatchEventsResponse& response, const Console& console) {
  std::set<std::string> services;
  for (const auto& position : response.positions()) services.insert(Printable(position.service()));
  console.Error(absl::StrCat("watching ",
                             services.empty() ? "for services" : absl::StrJoin(services, ", "),
                             "; Ctrl-C ends\n"));
}

absl::StatusOr<int> Watch(const WatchOptions& options, Context& context) {
  control::v1::WatchEventsRequest request;
  for (const std::string& service : options.services) request.add_services(service);
  request.set_include_chunks(options.chunks);
  request.set_sample_bytes(options.sample);

  const auto stub = context.gateway.Stub<ControlService>();
  grpc::ClientContext call;
  const Interrupt::Scope cancelled(context.interrupt, [&call] { call.TryCancel(); });
  const auto reader = stub->WatchEvents(&call, request);
  control::v1::WatchEventsResponse response;
  WatchedReplicas replicas;
  ProgressThinning thinning;
  bool announced = false;
  while (reader->Read(&response)) {
    if (!announced) Announce(response, context.console);
    announced = true;
    // Everything of one message is one write.
    const std::string text =
        options.json ? JsonLines(response)
                     : TextLines(response, replicas, thinning, context.console.Columns());
    if (absl::Status written = context.console.Out(text); !written.ok()) {
      call.TryCancel();
      return written;
    }
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return rpc::FromGrpc(status);
  return Error(absl::StatusCode::kUnavailable, "WATCH_ENDED", "the gateway ended the watch");
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate watch                   connections, requests, commands, transfers
  rawgate watch echo --chunks     also every read, with its size: 'hello' and
                                  'world' sent in a hurry are one chunk of 10
                                  bytes, or two of 5
  rawgate watch --json | jq -c 'select(.connectionClosed)'

Each line: local time, service/listener, connection, what happened. Where a
service has several processes, its name is followed by @ and the INSTANCE.
Bytes that came from a peer are shown with their control characters escaped.
With --json each line is an Event of the API, or {"lost":...} where this
watcher was too slow. Ends with an error when the gateway goes away.)";

}  // namespace

void AddWatchCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* watch = app.add_subcommand("watch", "Show what happens, as it happens");
  watch->group(kServicesGroup)->footer(kExamples);
  watch->add_option("SERVICE", options->services, "Only these services");
  watch->add_flag("--chunks", options->chunks, "Show every read of a stream connection");
  watch->add_option("--sample", options->sample, "Show the first N bytes, 0 to 256 (32)")
      ->type_name("N")
      ->check(CLI::Range(0, 256));
  watch->add_flag("--json", options->json, "Print one JSON object a line");
  watch->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return Watch(*options, context); };
  });
}

}  // namespace rawgate::cli
