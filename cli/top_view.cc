#include "cli/top_view.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/compact_number.h"
#include "cli/display_text.h"
#include "cli/event_kind.h"
#include "cli/event_line.h"
#include "cli/text_match.h"
#include "cli/top_prompt.h"
#include "cli/top_text.h"

namespace rawgate::cli {
namespace {

using Lines = std::vector<ScreenLine>;

// --- above the rows

ScreenLine Title(const TopSetting& setting, const TopData& data, const TopChoice& choice) {
  ScreenLine line("rawgate top", Style::kStrong);
  line.Add(absl::StrCat("  ", Printable(setting.target)));
  if (data.time() != absl::Time()) line.Add("  ").Add(ClockTime(data.time()).substr(0, 8));
  line.Add(absl::StrCat("  every ", absl::FormatDuration(setting.interval)), Style::kFaint);
  if (choice.paused) line.Add("  ").Add("paused, Space goes on", Style::kUnread);
  return line;
}

// All services together.
ScreenLine Summary(const TopData& data) {
  int listeners = 0;
  int running = 0;
  int faulty = 0;
  uint64_t open = 0;
  TopRates sum;
  for (const auto& service : data.services().services()) {
    for (const auto& listener : service.listeners()) {
      ++listeners;
      if (StateOf({"", &service, &listener}) == "running") ++running;
      if (listener.has_faults()) ++faulty;
    }
    open += service.counters().connections_open();
    const TopRates rates = data.RatesOf(service);
    sum.requests += rates.requests;
    sum.errors += rates.errors;
    sum.received += rates.received;
    sum.sent += rates.sent;
  }
  ScreenLine line(absl::StrCat(running, " of ",
                               Counted(static_cast<uint64_t>(listeners), "listener"), " running, ",
                               open, " open, ", CompactCount(sum.requests), " req/s, in ",
                               CompactSize(sum.received), "/s, out ", CompactSize(sum.sent), "/s"));
  if (sum.errors > 0) {
    line.Add(", ").Add(absl::StrCat(CompactCount(sum.errors), " err/s"), Style::kBad);
  }
  if (faulty > 0) line.Add(", ").Add(absl::StrCat(faulty, " with faults"), Style::kUnread);
  return line;
}

// Which of the rows are on the screen, when not all are.
std::string Extent(size_t first, size_t shown, size_t all) {
  if (shown >= all) return "";
  return absl::StrCat("  ", first + 1, "-", std::min(all, first + shown), " of ", all);
}

ScreenLine Views(const TopData& data, const std::vector<TopItem>& items, const TopLayout& layout,
                 const TopChoice& choice) {
  ScreenLine line;
  const char* const names[kTopViews] = {"services", "connections", "events"};
  for (size_t i = 0; i < kTopViews; ++i) {
    const bool shown = i == static_cast<size_t>(choice.view);
    line.Add(i > 0 ? "  " : "");
    line.Add(absl::StrCat(shown ? "[" : " ", i + 1, " ", names[i], shown ? "]" : " "),
             shown ? Style::kStrong : Style::kPlain);
  }
  if (!choice.filter().empty()) line.Add("  filter: ").Add(Printable(choice.filter()), Style::kOwn);
  if (choice.view == TopView::kEvents) {
    if (choice.events_back > 0) line.Add(absl::StrCat("  ", choice.events_back, " back"));
    return line;
  }
  const TopOrder& order = choice.list().order;
  if (order.column > 0 || order.reversed) {
    const auto& column = choice.shape().columns()[order.column];
    line.Add("  by ").Add(order.column == 0 ? "name" : column.shape.heading, Style::kOwn);
    if (order.reversed) line.Add(", reversed");
  }
  line.Add(Extent(choice.list().first, layout.rows, items.size()));
  if (choice.view == TopView::kConnections) {
    if (!choice.service.empty()) line.Add("  of ").Add(Printable(choice.service), Style::kOwn);
    const bool more = !data.connections().next_page_token().empty();
    if (choice.pages_of_gateway()) {
      if (more || !choice.pages.empty()) {
        line.Add(absl::StrCat("  page ", choice.pages.size() + 1, more ? "+" : ""));
      }
    } else if (more) {
      line.Add(absl::StrCat("  of the first ", data.connections().connections_size()));
    }
  }
  return line;
}

Lines Head(const TopSetting& setting, const TopData& data, const std::vector<TopItem>& items,
           const TopLayout& layout, const TopChoice& choice) {
  Lines head;
  const bool lost = !data.trouble().empty();
  // On the lowest screens there is one line for both.
  if (layout.head == 2) {
    head.push_back(lost ? ScreenLine(data.trouble(), Style::kBad) : Title(setting, data, choice));
    return head;
  }
  head.push_back(Title(setting, data, choice));
  head.push_back(lost ? ScreenLine(data.trouble(), Style::kBad) : Summary(data));
  if (layout.head > 3) head.push_back(Views(data, items, layout, choice));
  return head;
}

// --- the rows

Lines Text(Lines text, const TopLayout& layout, const TopChoice& choice) {
  const size_t last_first = text.size() > layout.rows ? text.size() - layout.rows : 0;
  const size_t first = std::min(choice.text_first, last_first);
  Lines shown;
  // Where lists have their heading.
  shown.emplace_back(first < last_first ? "  (Down shows more)" : "", Style::kFaint);
  for (size_t i = first; i < text.size() && i - first < layout.rows; ++i)
    shown.push_back(std::move(text[i]));
  return shown;
}

ScreenLine EventScreenLine(const TopData::Happened& happened, int width) {
  const EventPaper paper{.columns = width};
  if (happened.is_lost) {
    return {EventsLostLine(happened.lost, happened.time, paper, happened.replica), Style::kUnread};
  }
  return {EventLine(happened.event, paper, happened.replica),
          TellsOfFailure(happened.event) ? Style::kBad : Style::kPlain};
}

// The newest below.
Lines Events(const TopData& data, const TopLayout& layout, const TopChoice& choice) {
  Lines lines;
  size_t back = choice.events_back;
  for (size_t i = data.events().size(); i-- > 0 && lines.size() < layout.rows;) {
    ScreenLine line = EventScreenLine(data.events()[i], layout.width);
    if (!ContainsIgnoringCase(line.Text(), choice.events_filter)) continue;
    if (back > 0) {
      --back;
    } else {
      lines.push_back(std::move(line));
    }
  }
  if (lines.empty())
    lines.emplace_back("  nothing yet: events are followed from when this view is opened first",
                       Style::kFaint);
  lines.emplace_back("TIME         NAME           ID  WHAT HAPPENED", Style::kStrong);
  std::reverse(lines.begin(), lines.end());
  return lines;
}

Lines List(const TopData& data, const std::vector<TopItem>& items, const TopLayout& layout,
           const TopChoice& choice) {
  const TopChoice::List& list = choice.list();
  const ScreenTable table = choice.shape().Table(data, items, list.order.column);
  Lines lines = table.Lines(layout.width, list.first, layout.rows, list.at);
  if (items.empty() && data.time() != absl::Time()) {
    const bool filtered = !list.order.filter.empty();
    lines.emplace_back(filtered ? "  no row has that text" : "  nothing is there", Style::kFaint);
  }
  return lines;
}

Lines Rows(const TopData& data, const std::vector<TopItem>& items, const TopLayout& layout,
           const TopChoice& choice) {
  if (choice.help) return Text(TopHelp(), layout, choice);
  if (choice.view == TopView::kEvents) return Events(data, layout, choice);
  if (choice.details && !items.empty())
    return Text(TopDetails(data, items[choice.list().at]), layout, choice);
  return List(data, items, layout, choice);
}

// --- below the rows

// What is wrong with the selected row, if anything.
std::string ErrorOf(const std::vector<TopItem>& items, const TopChoice& choice) {
  if (items.empty() || choice.view == TopView::kEvents) return "";
  const TopItem& item = items[choice.list().at];
  if (item.connection != nullptr) return "";
  return Printable(item.listener != nullptr ? item.listener->last_error()
                                            : item.service->last_error());
}

std::vector<absl::string_view> KeysOf(const TopChoice& choice) {
  if (choice.help || choice.details) return {"Esc back"};
  switch (choice.view) {
    case TopView::kServices:
      return {"Enter details", "s start", "x stop", "w who", "/ filter", "> sort", "Space hold"};
    case TopView::kConnections:
      return {"Enter details", "c close", "w all", "/ filter", "> sort", "Space hold"};
    case TopView::kEvents:
      break;
  }
  return {"PageUp back", "End newest", "/ filter", "Space hold"};
}

// As many as there is room for; help tells of all.
std::string KeysLine(const TopChoice& choice, int width) {
  const std::string last = choice.help ? "q quit" : "? help  q quit";
  std::string line;
  for (const absl::string_view key : KeysOf(choice)) {
    const std::string longer = absl::StrCat(line, key, "  ");
    if (static_cast<int>(longer.size() + last.size()) > width) break;
    line = longer;
  }
  return line + last;
}

Lines Foot(const std::vector<TopItem>& items, const TopLayout& layout, const TopChoice& choice) {
  ScreenLine message;
  if (choice.prompt.kind != TopPrompt::Kind::kNone) {
    message = TopPromptLine(choice, layout.width);
  } else if (!choice.message.empty()) {
    message = ScreenLine(Printable(choice.message), choice.message_style);
  } else {
    message = ScreenLine(ErrorOf(items, choice), Style::kBad);
  }
  const ScreenLine keys(KeysLine(choice, layout.width), Style::kFaint);
  if (layout.foot == 2) return {message, keys};
  return {message.width() > 0 ? message : keys};
}

}  // namespace

std::vector<ScreenLine> DrawTop(const TopSetting& setting, const TopData& data,
                                const std::vector<TopItem>& items, const TopLayout& layout,
                                const TopChoice& choice) {
  Lines lines = Head(setting, data, items, layout, choice);
  for (ScreenLine& line : Rows(data, items, layout, choice)) lines.push_back(std::move(line));
  const Lines foot = Foot(items, layout, choice);
  const auto height = static_cast<size_t>(layout.height);
  lines.resize(height > foot.size() ? height - foot.size() : 0);
  for (const ScreenLine& line : foot) lines.push_back(line);
  lines.resize(height);
  for (ScreenLine& line : lines) line.CutTo(layout.width);
  return lines;
}

}  // namespace rawgate::cli
