#include "cli/event_line.h"

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "cli/display_text.h"
#include "cli/event_kind.h"
#include "cli/hex_rows.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/text_style.h"

namespace rawgate::cli {
namespace {

using control::v1::Event;

// Below this, a sample says nothing; it is then shown all the same and the line wraps.
constexpr int kLeastSampleColumns = 12;

struct Particulars {
  std::string text;
  // Shown after `text`, as far as there is room.
  std::string sample = {};
  // Of what happened in all, of which `sample` is the beginning.
  uint64_t size = 0;
};

std::string Bytes(uint64_t size) { return Counted(size, "byte"); }

Particulars Closed(const control::v1::ConnectionClosed& closed) {
  std::string text = CloseReasonName(closed.reason());
  if (!closed.detail().empty()) absl::StrAppend(&text, " (", Printable(closed.detail()), ")");
  absl::StrAppend(&text, "  in ", closed.bytes_received(), "  out ", closed.bytes_sent(), "  req ",
                  closed.requests());
  return {text};
}

Particulars Received(const control::v1::DatagramReceived& datagram) {
  std::string text = absl::StrCat(Printable(datagram.peer()), "  ", Bytes(datagram.size()));
  if (!datagram.dropped().empty()) {
    absl::StrAppend(&text, "  not served: ", Printable(datagram.dropped()));
  }
  return {text, datagram.sample(), datagram.size()};
}

Particulars Served(const control::v1::RequestServed& served) {
  std::string text = Printable(served.summary());
  // Zero where it was not worth measuring.
  const absl::Duration duration = ToDuration(served.duration());
  if (duration > absl::ZeroDuration()) absl::StrAppend(&text, "  ", HumanDuration(duration));
  if (!served.error_code().empty()) absl::StrAppend(&text, "  ", Printable(served.error_code()));
  return {text};
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
  return {text};
}

Particulars StateChanged(const control::v1::ListenerStateChanged& change) {
  std::string text = StateName(change.state());
  if (!change.bound_address().empty())
    absl::StrAppend(&text, "  ", Printable(change.bound_address()));
  if (!change.last_error().empty()) absl::StrAppend(&text, "  ", Printable(change.last_error()));
  return {text};
}

// "loss of a datagram from udp://127.0.0.1:4000", "cut of a connection to tcp://127.0.0.1:4000".
std::string Hit(const control::v1::FaultHit& hit) {
  const bool datagram = absl::StartsWith(hit.peer(), "udp:") || hit.fault() == "loss" ||
                        hit.fault() == "duplication" || hit.fault() == "reordering" ||
                        hit.fault() == "corruption";
  return absl::StrCat(Printable(hit.fault()), datagram ? " of a datagram " : " of a connection ",
                      hit.received() ? "from " : "to ", Printable(hit.peer()));
}

std::string Started(const control::v1::CommandStarted& started) {
  return absl::StrCat("job ", Printable(started.job_id()), ", pid ", started.pid(), ": ",
                      Printable(started.summary()));
}

std::string Ended(const control::v1::CommandEnded& ended) {
  return absl::StrCat("job ", Printable(ended.job_id()), ": ", Printable(ended.outcome()), "  ",
                      HumanDuration(ToDuration(ended.duration())));
}

std::string Reachability(const control::v1::ServiceReachabilityChanged& change) {
  return absl::StrCat(change.reachable() ? "reachable" : "unreachable",
                      change.detail().empty() ? "" : ": ", Printable(change.detail()));
}

Particulars ParticularsOf(const Event& event) {
  switch (event.kind_case()) {
    case Event::kConnectionOpened:
      return {Printable(event.connection_opened().peer())};
    case Event::kConnectionClosed:
      return Closed(event.connection_closed());
    case Event::kChunkReceived:
      return {Bytes(event.chunk_received().size()), event.chunk_received().sample(),
              event.chunk_received().size()};
    case Event::kDatagramReceived:
      return Received(event.datagram_received());
    case Event::kDatagramSent:
      return {absl::StrCat(Printable(event.datagram_sent().peer()), "  ",
                           Bytes(event.datagram_sent().size()))};
    case Event::kRequestServed:
      return Served(event.request_served());
    case Event::kCommandStarted:
      return {Started(event.command_started())};
    case Event::kCommandEnded:
      return {Ended(event.command_ended())};
    case Event::kTransferProgress:
      return Progress(event.transfer_progress());
    case Event::kListenerStateChanged:
      return StateChanged(event.listener_state_changed());
    case Event::kReachabilityChanged:
      return {Reachability(event.reachability_changed())};
    case Event::kFaultHit:
      return {Hit(event.fault_hit())};
    case Event::KIND_NOT_SET:
      break;
  }
  return {"an event that this version does not know"};
}

Style StyleOf(const Event& event) {
  if (TellsOfFailure(event)) return Style::kBad;
  switch (event.kind_case()) {
    case Event::kConnectionOpened:
    case Event::kCommandStarted:
      return Style::kGood;
    case Event::kChunkReceived:
    case Event::kDatagramReceived:
      return Style::kOwn;
    case Event::kListenerStateChanged:
    case Event::kReachabilityChanged:
      return Style::kStrong;
    case Event::kFaultHit:
      return Style::kUnread;
    case Event::kConnectionClosed:
    case Event::kCommandEnded:
      return Style::kFaint;
    default:
      return Style::kPlain;
  }
}

// The columns before the particulars: wide enough for "exec/header" and #9999; longer ones move the
// rest of their line. With these, the usual lines fit into 80 columns.
std::string Prefix(absl::Time time, absl::string_view name, absl::string_view connection) {
  return absl::StrFormat("%s %-11s %5s  ", ClockTime(time), name, connection);
}

std::string Kind(absl::string_view kind, Style style, bool colored) {
  constexpr size_t kColumns = 8;
  const std::string padding(kColumns - std::min(kColumns, kind.size()), ' ');
  return absl::StrCat(Styled(kind, style, colored), padding, " ");
}

std::string NameOf(const Event& event) {
  return absl::StrCat(Printable(event.service()), event.listener().empty() ? "" : "/",
                      Printable(event.listener()));
}

std::string ConnectionOf(const Event& event) {
  return event.connection_id() == 0 ? "" : absl::StrCat("#", event.connection_id());
}

// Rows below the line, and how many bytes there are that are not in them.
std::string HexBelow(const Particulars& particulars, int columns) {
  std::string rows = absl::StrCat("\n", HexRows(particulars.sample, columns));
  if (particulars.size > particulars.sample.size()) {
    absl::StrAppend(&rows, "  ...   ", particulars.size - particulars.sample.size(), " more");
  } else {
    rows.pop_back();
  }
  return rows;
}

std::string LostText(const control::v1::EventsLost& lost) {
  if (lost.count() == 0) return "events of an earlier process are gone";
  return absl::StrCat(Counted(lost.count(), "event"), " not shown: this watcher was too slow");
}

std::string Fields(absl::Time time, const std::vector<std::string>& fields) {
  return absl::StrCat(TimeCell(time, OutputFormat::kPlain), "\t", absl::StrJoin(fields, "\t"));
}

}  // namespace

std::string EventLine(const Event& event, const EventPaper& paper, const std::string& replica) {
  const Particulars particulars = ParticularsOf(event);
  const std::string name = absl::StrCat(NameOf(event), replica.empty() ? "" : "@", replica);
  const std::string prefix = Prefix(ToTime(event.time()), name, ConnectionOf(event));
  const std::string kind(EventKindName(event.kind_case()));
  std::string line =
      absl::StrCat(prefix, Kind(kind, StyleOf(event), paper.colored), particulars.text);
  if (particulars.sample.empty()) return line;
  if (paper.hex) return line + HexBelow(particulars, paper.columns);
  const int width =
      DisplayWidth(absl::StrCat(prefix, Kind(kind, Style::kPlain, false), particulars.text, "  "));
  const int room = paper.columns == 0 ? 0 : std::max(kLeastSampleColumns, paper.columns - width);
  return absl::StrCat(line, "  ", Quoted(particulars.sample, room));
}

std::string EventFields(const Event& event) {
  const Particulars particulars = ParticularsOf(event);
  return Fields(ToTime(event.time()),
                {NameOf(event), Printable(event.instance()),
                 event.connection_id() == 0 ? "" : absl::StrCat(event.connection_id()),
                 std::string(EventKindName(event.kind_case())), particulars.text,
                 particulars.sample.empty() ? "" : Quoted(particulars.sample)});
}

std::string EventsLostLine(const control::v1::EventsLost& lost, absl::Time now,
                           const EventPaper& paper, const std::string& replica) {
  const std::string name =
      absl::StrCat(Printable(lost.service()), replica.empty() ? "" : "@", replica);
  return absl::StrCat(Prefix(now, name, ""), Kind("lost", Style::kUnread, paper.colored),
                      LostText(lost));
}

std::string EventsLostFields(const control::v1::EventsLost& lost, absl::Time now) {
  return Fields(
      now, {Printable(lost.service()), Printable(lost.instance()), "", "lost", LostText(lost), ""});
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

}  // namespace rawgate::cli
