// rawgate watch.
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "cli/command.h"
#include "cli/display_text.h"
#include "cli/event_filter.h"
#include "cli/event_kind.h"
#include "cli/event_line.h"
#include "cli/event_watch.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/replicas.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;
using control::v1::WatchEventsResponse;

struct WatchOptions {
  EventWishes wishes;
  bool chunks = false;
  bool hex = false;
  uint32_t sample = 32;
  OutputFormat format = OutputFormat::kText;
  // 0: no end.
  uint64_t count = 0;
  absl::Duration timeout = absl::ZeroDuration();
  bool reconnects = true;
};

class Watch {
 public:
  Watch(const WatchOptions& options, Context& context)
      : options_(options),
        context_(context),
        stub_(context.gateway.Stub<ControlService>()),
        filter_(options.wishes),
        watch_(*stub_, Request(), options.reconnects ? std::numeric_limits<int>::max() : 0,
               {[this](const auto& message) { return Take(message); },
                [this](const absl::Status& why) { SayLost(why); },
                [this] { Say("connected again; what was lost is told"); }}) {}

  absl::StatusOr<int> Run();

 private:
  control::v1::WatchEventsRequest Request() const;
  bool Take(const WatchEventsResponse& message);
  void Begin(const WatchEventsResponse& message);
  std::string Shown(const control::v1::Event& event);
  std::string Shown(const control::v1::EventsLost& lost) const;
  absl::Status KnowConnections();
  void SayLost(const absl::Status& why) const;
  void Say(absl::string_view what) const {
    context_.console.Error(absl::StrCat("rawgate watch: ", what, "\n"));
  }
  EventPaper paper() const {
    return {context_.console.Columns(), context_.console.OutputIsColored(), options_.hex};
  }
  bool Enough() const { return options_.count > 0 && shown_ >= options_.count; }

  const WatchOptions& options_;
  Context& context_;
  const std::unique_ptr<ControlService::Stub> stub_;
  EventFilter filter_;
  EventWatch watch_;
  WatchedReplicas replicas_;
  ProgressThinning thinning_;
  bool announced_ = false;
  uint64_t shown_ = 0;
  // Why the watch ends although the gateway would go on.
  absl::Status failure_;
};

control::v1::WatchEventsRequest Watch::Request() const {
  control::v1::WatchEventsRequest request;
  for (const std::string& service : filter_.Services()) request.add_services(service);
  request.set_include_chunks(options_.chunks);
  request.set_sample_bytes(options_.sample);
  return request;
}

absl::StatusOr<int> Watch::Run() {
  const Interrupt::Scope stopped(context_.interrupt, [this] { watch_.Stop(); });
  absl::Notification ended;
  std::thread timer;
  if (options_.timeout > absl::ZeroDuration()) {
    timer = std::thread([&] {
      if (!ended.WaitForNotificationWithTimeout(options_.timeout)) watch_.Stop();
    });
  }
  const absl::Status end = watch_.Run();
  ended.Notify();
  if (timer.joinable()) timer.join();

  if (!failure_.ok()) return failure_;
  if (end.ok()) return 0;
  const bool timed_out = absl::IsCancelled(end) && context_.interrupt.signal() == 0;
  if (!timed_out) return end;
  if (options_.count == 0) return 0;
  return Error(absl::StatusCode::kDeadlineExceeded, "TOO_FEW_EVENTS",
               absl::StrCat("only ", shown_, " of ", Counted(options_.count, "event"), " within ",
                            HumanDuration(options_.timeout)));
}

bool Watch::Take(const WatchEventsResponse& message) {
  if (!std::exchange(announced_, true)) Begin(message);
  // Everything of one message is one write.
  std::string text;
  for (const auto& lost : message.lost()) text += Shown(lost);
  replicas_.Take(message);
  for (const auto& event : message.events()) {
    if (!filter_.Passes(event)) continue;
    text += Shown(event);
    if (Enough()) break;
  }
  if (failure_.ok()) failure_ = context_.console.Out(text);
  return failure_.ok() && !Enough();
}

std::string Watch::Shown(const control::v1::Event& event) {
  if (options_.format == OutputFormat::kText && !thinning_.Shows(event)) return "";
  ++shown_;
  switch (options_.format) {
    case OutputFormat::kJson:
      return JsonLine(event);
    case OutputFormat::kPlain:
      return EventFields(event) + "\n";
    case OutputFormat::kText:
      break;
  }
  return EventLine(event, paper(), replicas_.NameOf(event.service(), event.instance())) + "\n";
}

std::string Watch::Shown(const control::v1::EventsLost& lost) const {
  if (options_.format == OutputFormat::kJson) {
    return absl::StrCat("{\"lost\":", absl::StripSuffix(JsonLine(lost), "\n"), "}\n");
  }
  if (options_.format == OutputFormat::kPlain) return EventsLostFields(lost, absl::Now()) + "\n";
  return EventsLostLine(lost, absl::Now(), paper(),
                        replicas_.NameOf(lost.service(), lost.instance())) +
         "\n";
}

// From here on nothing is missed. On standard error, where it is no event.
void Watch::Begin(const WatchEventsResponse& message) {
  if (!options_.wishes.peer.empty()) failure_ = KnowConnections();
  std::set<std::string> services;
  for (const auto& position : message.positions()) services.insert(Printable(position.service()));
  context_.console.Error(
      absl::StrCat("watching ", services.empty() ? "for services" : absl::StrJoin(services, ", "),
                   "; Ctrl-C ends\n"));
}

// Those that were open before, whose beginning will not be told.
absl::Status Watch::KnowConnections() {
  constexpr int kPage = 1000;
  control::v1::ListConnectionsRequest request;
  request.set_page_size(kPage);
  do {
    const auto page = Call(*stub_, &ControlService::Stub::ListConnections, request);
    if (!page.ok()) return page.status();
    for (const auto& connection : page->connections()) filter_.Know(connection);
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

void Watch::SayLost(const absl::Status& why) const {
  const std::string text = Explain("watch", why, context_.gateway.target());
  context_.console.Error(absl::StrCat(text, " Trying again.\n"));
}

constexpr char kExamples[] =
    R"(Examples:
  rawgate watch                   connections, requests, commands, transfers
  rawgate watch echo --chunks     also every read, with its size: 'hello' and
                                  'world' sent in a hurry are one chunk of 10
                                  bytes, or two of 5
  rawgate watch echo/tcp --hex --sample 256
  rawgate watch --kind opened,closed --peer 192.0.2.
  rawgate watch --errors          what failed, and why
  rawgate watch exec -n 1 --kind ended --timeout 30s
                                  waits for the end of a command
  rawgate watch --json | jq -c 'select(.connectionClosed)'

Each line: local time, service/listener, connection, what happened. Where a
service has several processes, its name is followed by @ and the INSTANCE.
Bytes that came from a peer are shown with their control characters escaped.
Kinds: opened closed chunk datagram answer request started ended transfer
listener gateway fault.

With --plain: time, SERVICE/LISTENER, instance, connection, kind, particulars,
sample. With --json each line is an Event of the API, or {"lost":...} where
this watcher missed some.

When the gateway goes away, the watch waits for it and goes on where it was.
Exit codes: 0 after -n events, or after --timeout where no -n is given; 1 when
there were too few, or the watch failed.)";

void AddFilters(CLI::App& watch, EventWishes& wishes, bool& chunks) {
  watch.add_option("SERVICE[/LISTENER]", wishes.names, "Only of these")
      ->check([](const std::string& name) {
        const bool whole = !name.empty() && name.front() != '/' && name.back() != '/';
        return whole ? "" : absl::StrCat("'", name, "' is no SERVICE or SERVICE/LISTENER");
      });
  watch.add_option("--peer", wishes.peer, "Only of clients whose address begins so")
      ->type_name("PREFIX");
  watch.add_option("--connection", wishes.connection, "Only of the connection with this ID")
      ->type_name("ID");
  const auto take_kinds = [&wishes, &chunks](const std::vector<std::string>& kinds) {
    wishes.kinds = kinds;
    for (const std::string& kind : kinds) chunks = chunks || kind == "chunk";
  };
  watch
      .add_option_function<std::vector<std::string>>("--kind", take_kinds,
                                                     "Only events of these kinds")
      ->type_name("KIND,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(EventKindNames()));
  watch.add_flag("--errors", wishes.failures, "Only what tells of a failure");
  watch.add_option("--match", wishes.match, "Only lines that have this in them")->type_name("TEXT");
}

}  // namespace

void AddWatchCommand(CLI::App& app, Command& chosen) {
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* watch = app.add_subcommand("watch", "Show what happens, as it happens");
  watch->group(kServicesGroup)->footer(kExamples);
  AddFilters(*watch, options->wishes, options->chunks);
  watch->add_flag("--chunks", options->chunks, "Show every read of a stream connection");
  watch->add_option("--sample", options->sample, "Show the first N bytes, 0 to 256 (32)")
      ->type_name("N")
      ->check(CLI::Range(0, 256));
  const auto take_hex = [options] { options->hex = options->chunks = true; };
  CLI::Option* hex =
      watch->add_flag_callback("--hex", take_hex, "Show them in hex and ASCII, with --chunks");
  watch
      ->add_flag_callback(
          "--text", [options] { options->hex = false; }, "Show them as text: the default")
      ->excludes(hex);
  watch->add_option("-n,--count", options->count, "End after N events")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  AddDurationOption(*watch, "--timeout", options->timeout, "End after this time");
  watch->add_flag_callback(
      "--no-reconnect", [options] { options->reconnects = false; },
      "Fail when the gateway goes away");
  AddOutputFormat(*watch, options->format, "each event on a line of its own");
  watch->callback([&chosen, options] {
    chosen.run = [options](Context& context) { return Watch(*options, context).Run(); };
  });
}

}  // namespace rawgate::cli
