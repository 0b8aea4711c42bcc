#include "cli/chat_lines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "cli/text_table.h"
#include "cli/wrapped_text.h"

namespace rawgate::cli {
namespace {

// Addresses of IPv4 fit.
constexpr int kNameColumns = 21;
// Terminals as wide as this have room for those of IPv6.
constexpr int kWide = 120;
constexpr int kWideNameColumns = 47;
// With less beside the name, the text is below it.
constexpr int kTextColumnsMin = 30;
constexpr absl::string_view kIndent = "    ";

std::string Author(const chat::v1::Message& message) {
  switch (message.direction()) {
    case chat::v1::DIRECTION_OUTBOUND:
      return absl::StrCat("> ",
                          message.operator_name().empty() ? "operator" : message.operator_name());
    case chat::v1::DIRECTION_AUTOMATIC:
      return "> automatic answer";
    default:
      return message.session_id();
  }
}

std::string PaddedTo(std::string text, int columns) {
  const int missing = columns - DisplayWidth(text);
  if (missing > 0) text.append(static_cast<size_t>(missing), ' ');
  return text;
}

// Who said what, when, to be laid out.
struct Entry {
  absl::Time time;
  // "#1" or "all".
  std::string whom;
  std::string author;
  absl::string_view body;
  Style style;
};

// Beside each other when there is room, else the text below.
std::string LaidOut(const Entry& entry, const ChatPaper& paper, size_t rows_max,
                    absl::string_view remedy) {
  const std::string time = absl::FormatTime("%H:%M:%S", entry.time, absl::LocalTimeZone());
  const std::string name =
      ShortenedFront(entry.author, paper.columns >= kWide ? kWideNameColumns : kNameColumns);
  const int name_columns = std::max(kNameColumns, DisplayWidth(name));
  const std::string start = absl::StrCat(time, "  ", PaddedTo(entry.whom, 4), " ");
  const int indent = DisplayWidth(start) + name_columns + 2;
  // The last column stays free: where a full row ends, terminals differ.
  const int beside = paper.columns - indent - 1;
  std::string indentation(kIndent);
  std::string lines;
  std::vector<std::string> rows;
  if (beside >= kTextColumnsMin) {
    rows = WrappedText(entry.body, beside);
    indentation.assign(static_cast<size_t>(indent), ' ');
    lines = absl::StrCat(start, Styled(PaddedTo(name, name_columns), entry.style, paper.colored),
                         "  ", Styled(rows.front(), entry.style, paper.colored), "\n");
  } else {
    rows = WrappedText(entry.body, paper.columns - static_cast<int>(kIndent.size()) - 1);
    const std::string head = absl::StrCat(time, " ", entry.whom, " ");
    const int room = std::max(4, paper.columns - DisplayWidth(head) - 1);
    lines = absl::StrCat(
        head, Styled(ShortenedFront(entry.author, room), entry.style, paper.colored), "\n");
    rows.insert(rows.begin(), "");
  }
  const size_t shown = rows.size() > rows_max ? rows_max - 1 : rows.size();
  for (size_t i = 1; i < shown; ++i) {
    absl::StrAppend(&lines, indentation, Styled(rows[i], entry.style, paper.colored), "\n");
  }
  if (shown < rows.size()) {
    const size_t more = rows.size() - shown;
    std::string rest = absl::StrCat("[", Counted(more, "more row"), remedy, "]");
    if (DisplayWidth(indentation) + DisplayWidth(rest) >= paper.columns) {
      rest = absl::StrCat("[", more, " more]");
    }
    absl::StrAppend(&lines, indentation, Styled(rest, Style::kFaint, paper.colored), "\n");
  }
  return lines;
}

std::string OnOneLine(const Entry& entry) {
  return absl::StrFormat(
      "%s  %-4s %s  %s\n", absl::FormatTime("%H:%M:%S", entry.time, absl::LocalTimeZone()),
      entry.whom, PaddedTo(Printable(entry.author), kNameColumns), Printable(entry.body));
}

// What is left out, one after another, where there is no room.
enum class TableColumns { kAll, kWithoutCounts, kWithoutTime };

constexpr int kUnlimited = 1 << 20;

std::string TableText(const std::vector<ChatSessionRow>& rows, absl::Time now, TableColumns which,
                      int peer_columns) {
  using Align = TextTable::Align;
  std::vector<TextTable::Column> columns = {{"#", Align::kRight}, {"PEER"}};
  if (which != TableColumns::kWithoutTime) columns.push_back({"LAST HEARD", Align::kRight});
  if (which == TableColumns::kAll) {
    columns.push_back({"RECEIVED", Align::kRight});
    columns.push_back({"SENT", Align::kRight});
  }
  columns.push_back({"UNREAD", Align::kRight});
  TextTable table(columns);
  for (const auto& [number, unread, session] : rows) {
    std::vector<std::string> cells = {absl::StrCat(number),
                                      ShortenedFront(session.id(), peer_columns)};
    if (which != TableColumns::kWithoutTime) {
      cells.push_back(Ago(now - ToTime(session.last_seen())));
    }
    if (which == TableColumns::kAll) {
      const uint64_t refused = session.messages_refused();
      cells.push_back(absl::StrCat(session.messages_received(),
                                   refused == 0 ? "" : absl::StrCat(" (", refused, " too long)")));
      cells.push_back(absl::StrCat(session.messages_sent()));
    }
    cells.push_back(unread == 0 ? "-" : absl::StrCat("* ", unread));
    table.AddRow(std::move(cells));
  }
  return table.Text();
}

int WidestLine(absl::string_view text) {
  int width = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    width = std::max(width, DisplayWidth(line));
  }
  return width;
}

}  // namespace

std::string MessageLines(const chat::v1::Message& message, int session, absl::string_view own_name,
                         const ChatPaper& paper, bool whole) {
  const bool own = message.direction() == chat::v1::DIRECTION_OUTBOUND &&
                   absl::string_view(message.operator_name()) == own_name;
  const Entry entry{ToTime(message.time()), absl::StrCat("#", session), Author(message),
                    message.body(), own ? Style::kOwn : Style::kPlain};
  if (paper.columns == 0) return OnOneLine(entry);
  return LaidOut(entry, paper, whole ? std::string::npos : kMessageRowsMax,
                 absl::StrCat("; /show ", session));
}

std::string ToAllLines(absl::string_view body, absl::Time time, absl::string_view own_name,
                       const ChatPaper& paper) {
  const Entry entry{time, "all", absl::StrCat("> ", own_name), body, Style::kOwn};
  return paper.columns == 0 ? OnOneLine(entry) : LaidOut(entry, paper, kMessageRowsMax, "");
}

std::string NoteLine(absl::string_view text, const ChatPaper& paper) {
  if (paper.columns == 0) return absl::StrCat("-- ", text, "\n");
  constexpr int kMarkColumns = 3;
  std::string lines;
  for (const std::string& row : WrappedText(text, paper.columns - kMarkColumns - 1)) {
    absl::StrAppend(
        &lines,
        Styled(absl::StrCat(lines.empty() ? "-- " : "   ", row), Style::kFaint, paper.colored),
        "\n");
  }
  return lines;
}

std::string FittedText(absl::string_view text, const ChatPaper& paper) {
  if (paper.columns == 0) return std::string(text);
  std::string lines;
  const int columns = paper.columns - static_cast<int>(kIndent.size()) - 1;
  while (!text.empty()) {
    const absl::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (DisplayWidth(line) < paper.columns) {
      absl::StrAppend(&lines, line, "\n");
      continue;
    }
    const std::vector<std::string> rows = WrappedText(line, columns);
    absl::StrAppend(&lines, absl::StrJoin(rows, absl::StrCat("\n", kIndent)), "\n");
  }
  return lines;
}

std::string Ago(absl::Duration duration) {
  const int64_t seconds = absl::ToInt64Seconds(duration);
  if (seconds < 10) return "just now";
  if (seconds < 60) return absl::StrCat(seconds, " s ago");
  if (seconds < 3600) return absl::StrCat(seconds / 60, " min ago");
  if (seconds < 2 * 86400) return absl::StrCat(seconds / 3600, " h ago");
  return absl::StrCat(seconds / 86400, " days ago");
}

std::string SessionTable(const std::vector<ChatSessionRow>& rows, absl::Time now,
                         const ChatPaper& paper) {
  constexpr int kPeerMin = 12;
  std::string text = TableText(rows, now, TableColumns::kAll, kUnlimited);
  if (paper.columns > 0 && WidestLine(text) >= paper.columns) {
    for (const auto which :
         {TableColumns::kAll, TableColumns::kWithoutCounts, TableColumns::kWithoutTime}) {
      const int others = WidestLine(TableText(rows, now, which, kPeerMin)) - kPeerMin;
      const int room = paper.columns - 1 - others;
      text = TableText(rows, now, which, std::max(4, room));
      if (room >= kPeerMin) break;
    }
  }
  if (!paper.colored) return text;
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string& line = lines[i + 1];
    const size_t mark = line.rfind("* ");
    if (rows[i].unread > 0 && mark != line.npos) {
      line = absl::StrCat(line.substr(0, mark), Styled(line.substr(mark), Style::kUnread, true));
    }
  }
  return absl::StrJoin(lines, "\n");
}

PromptText ShownPrompt(const ChatPrompt& prompt, const ChatPaper& paper) {
  if (prompt.session == 0) return {"> ", 2};
  const std::string with = prompt.pinned ? "with " : "";
  const std::string number = absl::StrCat("#", prompt.session);
  const std::string peer = absl::StrCat(" ", ShortenedFront(prompt.peer, kNameColumns));
  std::vector<std::pair<std::string, std::string>> forms;
  if (prompt.unread > 0) {
    forms = {{with + number + peer, absl::StrCat(" (", prompt.unread, " unread elsewhere)")},
             {with + number, absl::StrCat(" (", prompt.unread, " unread)")},
             {number, absl::StrCat(" (", prompt.unread, ")")}};
  } else {
    forms = {{with + number + peer, ""}, {with + number, ""}, {number, ""}};
  }
  // Two fifths are for typing.
  const int room = paper.columns * 3 / 5;
  for (size_t i = 0;; ++i) {
    const auto& [name, unread] = forms[i];
    const int columns = DisplayWidth(name) + DisplayWidth(unread) + 2;
    if (columns > room && i + 1 < forms.size()) continue;
    return {absl::StrCat(name, Styled(unread, Style::kUnread, paper.colored), "> "), columns};
  }
}

}  // namespace rawgate::cli
