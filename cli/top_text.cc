#include "cli/top_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/compact_number.h"
#include "cli/display_text.h"
#include "cli/fault_text.h"
#include "cli/proto_text.h"

namespace rawgate::cli {
namespace {

constexpr absl::string_view kHelp =
    R"(1 2 3  Tab       services, connections, events
Up Down  k j     select a row; also PageUp, PageDown, Home g, End G
Enter  Right     everything known of it; Esc or Left comes back
w                who is connected to that service; again: to all
/                show only rows that have this text; Esc takes it away
> o  <           sort by the next column shown, by the one before
r                the other way round
s                start the service or listener
x  S             stop it, after asking for the grace
c                close the connection, after asking
Space            hold what is shown; again: go on
?                this help
q                quit; also Ctrl-C. Ctrl-Z stops, fg comes back

Rates are the mean of the last 4 s, or of the last two samples. In sizes K
is 1024 bytes. ERR/S: requests that ended in an error. DROPS: datagrams not
served or not sent since the process began. FAULTS: what a listener does
wrong because it was told to.)";

class Details {
 public:
  void Add(absl::string_view name, std::string value, Style style = Style::kPlain) {
    if (value.empty()) return;
    constexpr int kNameColumns = 18;
    lines.emplace_back(name, Style::kFaint);
    lines.back().PadTo(kNameColumns).Add(" ").Add(value, style);
  }
  void Heading(const std::string& text) { lines.emplace_back(text, Style::kStrong); }
  void Number(absl::string_view name, uint64_t number) {
    if (number > 0) Add(name, absl::StrCat(number));
  }
  void Time(absl::string_view name, const google::protobuf::Timestamp& time, absl::Time now) {
    if (time.seconds() == 0) return;
    Add(name,
        absl::StrCat(DateAndTime(ToTime(time)), ", ", HumanDuration(now - ToTime(time)), " ago"));
  }

  std::vector<ScreenLine> lines;
};

template <typename Counts>
std::string ByReason(const Counts& counts) {
  std::string text;
  for (const auto& [reason, count] : counts) {
    if (count > 0) absl::StrAppend(&text, text.empty() ? "" : ", ", Printable(reason), " ", count);
  }
  return text;
}

void AddCounters(const control::v1::Counters& counters, const TopRates& rates, Details& details) {
  details.Add("connections", absl::StrCat(counters.connections_open(), " open, ",
                                          counters.connections_opened(), " ever"));
  details.Add("closed", ByReason(counters.closed()));
  details.Add("requests",
              absl::StrCat(counters.requests(), ", of which ", counters.request_errors(),
                           " failed; ", CompactCount(rates.requests), "/s"));
  details.Add("received", absl::StrCat(HumanSize(counters.bytes_received()), "; ",
                                       CompactSize(rates.received), "/s"));
  details.Add("sent",
              absl::StrCat(HumanSize(counters.bytes_sent()), "; ", CompactSize(rates.sent), "/s"));
  details.Number("datagrams in", counters.datagrams_received());
  details.Number("datagrams out", counters.datagrams_sent());
  details.Add("dropped", ByReason(counters.dropped()), Style::kUnread);
  details.Number("dropped by kernel", counters.datagrams_overflowed());
  details.Number("not sent", counters.send_failures());
}

void AddListener(const TopData& data, const control::v1::Service& service,
                 const control::v1::Listener& listener, Details& details) {
  const TopItem item{"", &service, &listener};
  details.Heading(NameOf(item));
  details.Add("state", StateOf(item), StyleOfState(listener.state()));
  details.Time("since", listener.state_time(), data.time());
  details.Add("error", Printable(listener.last_error()), Style::kBad);
  details.Add("address", Printable(listener.bound_address()));
  details.Add("configured", Printable(listener.configured_address()));
  if (listener.has_faults()) {
    details.Add("faults", FaultsText(listener.faults()), Style::kUnread);
    details.Add("faults so far", HitsText(listener.fault_counters()));
  }
  AddCounters(listener.counters(), data.RatesOf(service, listener), details);
}

void AddService(const TopData& data, const control::v1::Service& service, Details& details) {
  details.Heading(Printable(service.name()));
  details.Add("state", StateName(service.state()), StyleOfState(service.state()));
  details.Time("since", service.state_time(), data.time());
  details.Add("error", Printable(service.last_error()), Style::kBad);
  details.Add("instance", Printable(service.instance()));
  details.Add("reached at", Printable(service.address()));
  details.Number("pid", static_cast<uint64_t>(service.pid()));
  details.Add("version", Printable(service.version()));
  details.Time("process since", service.process_start_time(), data.time());
  AddCounters(service.counters(), data.RatesOf(service), details);
}

void AddConnection(const TopData& data, const control::v1::Connection& connection,
                   Details& details) {
  const TopItem item{"", nullptr, nullptr, &connection};
  const TopRates rates = data.RatesOf(connection);
  details.Heading(absl::StrCat("#", connection.id(), " of ", NameOf(item)));
  details.Add("peer", Printable(connection.peer()));
  details.Add("user", Printable(connection.user()));
  details.Add("instance", Printable(connection.instance()));
  details.Time("open since", connection.open_time(), data.time());
  details.Add("received", absl::StrCat(HumanSize(connection.bytes_received()), "; ",
                                       CompactSize(rates.received), "/s"));
  details.Add("sent", absl::StrCat(HumanSize(connection.bytes_sent()), "; ",
                                   CompactSize(rates.sent), "/s"));
  details.Add("requests",
              absl::StrCat(connection.requests(), "; ", CompactCount(rates.requests), "/s"));
}

}  // namespace

std::vector<ScreenLine> TopHelp() {
  std::vector<ScreenLine> lines;
  for (const absl::string_view line : absl::StrSplit(kHelp, '\n')) lines.emplace_back(line);
  return lines;
}

std::vector<ScreenLine> TopDetails(const TopData& data, const TopItem& item) {
  Details details;
  if (item.connection != nullptr) {
    AddConnection(data, *item.connection, details);
  } else if (item.listener != nullptr) {
    AddListener(data, *item.service, *item.listener, details);
  } else {
    AddService(data, *item.service, details);
    for (const auto& listener : item.service->listeners()) {
      details.lines.emplace_back("");
      AddListener(data, *item.service, listener, details);
    }
  }
  return details.lines;
}

}  // namespace rawgate::cli
