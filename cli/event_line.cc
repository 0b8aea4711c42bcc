#include "cli/event_line.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

using control::v1::Event;

// Below this, a sample says nothing; it is then shown all the same and the line wraps.
constexpr int kLeastSampleColumns = 12;

struct Particulars {
  absl::string_view kind;
  std::string text;
  // Shown after `text`, as far as there is room.
  std::string sample;
};

std::string Bytes(uint64_t size) { return Counted(size, "byte"); }

Particulars Closed(const control::v1::ConnectionClosed& closed) {
  std::string text = CloseReasonName(closed.reason());
  if (!closed.detail().empty()) absl::StrAppend(&text, " (", Printable(closed.detail()), ")");
  absl::StrAppend(&text, "  in ", closed.bytes_received(), "  out ", closed.bytes_sent(), "  req ",
                  closed.requests());
  return {"closed", text, ""};
}

Particulars Received(const control::v1::DatagramReceived& datagram) {
  std::string text = absl::StrCat(Printable(datagram.peer()), "  ", Bytes(datagram.size()));
  if (!datagram.dropped().empty()) {
    absl::StrAppend(&text, "  not served: ", Printable(datagram.dropped()));
  }
  return {"datagram", text, datagram.sample()};
}

Particulars Served(const control::v1::RequestServed& served) {
  std::string text = Printable(served.summary());
  // Zero where it was not worth measuring.
  const absl::Duration duration = ToDuration(served.duration());
  if (duration > absl::ZeroDuration()) absl::StrAppend(&text, "  ", HumanDuration(duration));
  if (!served.error_code().empty()) absl::StrAppend(&text, "  ", Printable(served.error_code()));
  return {"request", text, ""};
}

Particulars Progress(const control::v1::TransferProgress& progress) {
  std::string text = absl::StrCat(progress.upload() ? "upload " : "download ",
                                  Printable(progress.filename()), "  ");
  if (progress.total_bytes() == 0) {
    text += HumanSize(progress.transferred_bytes());
  } else {
    absl::StrAppend(&text,
                    absl::StrFormat("%.0f%% of %s",
                                    100.0 * static_cast<double>(progress.transferred_bytes()) /
                                        static_cast<double>(progress.total_bytes()),
                                    HumanSize(progress.total_bytes())));
  }
  return {"transfer", text, ""};
}

Particulars StateChanged(const control::v1::ListenerStateChanged& change) {
  std::string text = StateName(change.state());
  if (!change.bound_address().empty())
    absl::StrAppend(&text, "  ", Printable(change.bound_address()));
  if (!change.last_error().empty()) absl::StrAppend(&text, "  ", Printable(change.last_error()));
  return {"listener", text, ""};
}

Particulars ParticularsOf(const Event& event) {
  switch (event.kind_case()) {
    case Event::kConnectionOpened:
      return {"opened", Printable(event.connection_opened().peer()), ""};
    case Event::kConnectionClosed:
      return Closed(event.connection_closed());
    case Event::kChunkReceived:
      return {"chunk", Bytes(event.chunk_received().size()), event.chunk_received().sample()};
    case Event::kDatagramReceived:
      return Received(event.datagram_received());
    case Event::kDatagramSent:
      return {"answer",
              absl::StrCat(Printable(event.datagram_sent().peer()), "  ",
                           Bytes(event.datagram_sent().size())),
              ""};
    case Event::kRequestServed:
      return Served(event.request_served());
    case Event::kCommandStarted:
      return {"started",
              absl::StrCat("job ", Printable(event.command_started().job_id()), ", pid ",
                           event.command_started().pid(), ": ",
                           Printable(event.command_started().summary())),
              ""};
    case Event::kCommandEnded:
      return {"ended",
              absl::StrCat("job ", Printable(event.command_ended().job_id()), ": ",
                           Printable(event.command_ended().outcome()), "  ",
                           HumanDuration(ToDuration(event.command_ended().duration()))),
              ""};
    case Event::kTransferProgress:
      return Progress(event.transfer_progress());
    case Event::kListenerStateChanged:
      return StateChanged(event.listener_state_changed());
    case Event::kReachabilityChanged:
      return {"gateway",
              absl::StrCat(event.reachability_changed().reachable() ? "reachable" : "unreachable",
                           event.reachability_changed().detail().empty() ? "" : ": ",
                           Printable(event.reachability_changed().detail())),
              ""};
    case Event::kFaultHit:
      return {"fault",
              absl::StrCat(Printable(event.fault_hit().fault()),
                           event.fault_hit().received() ? "  from " : "  to ",
                           Printable(event.fault_hit().peer())),
              ""};
    case Event::KIND_NOT_SET:
      break;
  }
  return {"other", "an event that this version does not know", ""};
}

// The columns before the particulars: wide enough for "exec/header" and #9999; longer ones move the
// rest of their line. With these, the usual lines fit into 80 columns.
std::string Prefix(absl::Time time, absl::string_view name, absl::string_view connection,
                   absl::string_view kind) {
  return absl::StrFormat("%s %-11s %5s  %-8s ", ClockTime(time), name, connection, kind);
}

}  // namespace

std::string EventLine(const Event& event, int columns, const std::string& replica) {
  const Particulars particulars = ParticularsOf(event);
  std::string name = Printable(event.service());
  if (!event.listener().empty()) absl::StrAppend(&name, "/", Printable(event.listener()));
  if (!replica.empty()) absl::StrAppend(&name, "@", replica);
  const std::string connection =
      event.connection_id() == 0 ? "" : absl::StrCat("#", event.connection_id());
  std::string line = absl::StrCat(Prefix(ToTime(event.time()), name, connection, particulars.kind),
                                  particulars.text);
  if (!particulars.sample.empty()) {
    line += "  ";
    const int room = columns == 0 ? 0 : std::max(kLeastSampleColumns, columns - DisplayWidth(line));
    line += Quoted(particulars.sample, room);
  }
  return line;
}

bool ProgressThinning::Shows(const Event& event) {
  constexpr size_t kMostTransfers = 10'000;
  if (!event.has_transfer_progress()) return true;
  const auto& progress = event.transfer_progress();
  const std::string key = absl::StrCat(event.service(), "@", event.instance(), "#",
                                       event.connection_id(), ":", progress.filename());
  if (progress.transferred_bytes() == progress.total_bytes()) {
    shown_.erase(key);
    return true;
  }
  const absl::Time time = ToTime(event.time());
  const auto last = shown_.find(key);
  if (last != shown_.end() && time < last->second + absl::Seconds(1)) return false;
  // Transfers that broke off leave their entry behind.
  if (shown_.size() >= kMostTransfers) shown_.clear();
  shown_[key] = time;
  return true;
}

std::string EventsLostLine(const control::v1::EventsLost& lost, absl::Time now,
                           const std::string& replica) {
  const std::string text =
      lost.count() == 0
          ? "events of an earlier process are gone"
          : absl::StrCat(Counted(lost.count(), "event"), " not shown: this watcher was too slow");
  const std::string name =
      absl::StrCat(Printable(lost.service()), replica.empty() ? "" : "@", replica);
  return absl::StrCat(Prefix(now, name, "", "lost"), text);
}

}  // namespace rawgate::cli
