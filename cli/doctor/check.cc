#include "cli/doctor/check.h"

#include <algorithm>

#include <boost/json.hpp>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "cli/text_style.h"
#include "cli/text_table.h"
#include "cli/wrapped_text.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;

// Marks stand in a column of their own.
constexpr int kMarkColumns = 6;
constexpr int kColumnsMin = 40;

struct StateLook {
  absl::string_view mark;
  absl::string_view name;
  Style style;
};

StateLook LookOf(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return {"ok", "ok", Style::kGood};
    case CheckState::kWarning:
      return {"WARN", "warning", Style::kUnread};
    case CheckState::kFailure:
      return {"FAIL", "failure", Style::kBad};
    case CheckState::kSkipped:
      return {"-", "skipped", Style::kFaint};
  }
  return {"?", "unknown", Style::kPlain};
}

// `text` behind a first column that is `mark` in the first row and blank in others.
std::string Rows(absl::string_view mark, Style style, absl::string_view text, int columns,
                 bool colored) {
  const std::vector<std::string> rows = columns < kColumnsMin
                                            ? std::vector<std::string>{Printable(text)}
                                            : WrappedText(text, columns - kMarkColumns);
  std::string lines;
  for (const std::string& row : rows) {
    const absl::string_view shown = lines.empty() ? mark : "";
    absl::StrAppend(&lines, Styled(shown, style, colored),
                    std::string(kMarkColumns - shown.size(), ' '), row, "\n");
  }
  return lines;
}

std::string Summary(const CheckList& checks) {
  const size_t warnings = checks.Count(CheckState::kWarning);
  const size_t failures = checks.Count(CheckState::kFailure);
  const size_t skipped = checks.Count(CheckState::kSkipped);
  std::string text = absl::StrCat("\n", Counted(checks.all().size(), "check"), ": ",
                                  Counted(failures, "failure"), ", ", Counted(warnings, "warning"));
  if (skipped > 0) absl::StrAppend(&text, ", ", skipped, " could not be made");
  return text + ".\n";
}

}  // namespace

void CheckList::Ok(std::string id, std::string subject, std::string detail) {
  all_.push_back({std::move(id), std::move(subject), CheckState::kOk, std::move(detail), ""});
}

void CheckList::Warn(std::string id, std::string subject, std::string detail, std::string remedy) {
  all_.push_back({std::move(id), std::move(subject), CheckState::kWarning, std::move(detail),
                  std::move(remedy)});
}

void CheckList::Fail(std::string id, std::string subject, std::string detail, std::string remedy) {
  all_.push_back({std::move(id), std::move(subject), CheckState::kFailure, std::move(detail),
                  std::move(remedy)});
}

void CheckList::Skip(std::string id, std::string subject, std::string detail) {
  all_.push_back({std::move(id), std::move(subject), CheckState::kSkipped, std::move(detail), ""});
}

size_t CheckList::Count(CheckState state) const {
  return static_cast<size_t>(std::count_if(
      all_.begin(), all_.end(), [state](const Check& check) { return check.state == state; }));
}

std::string ChecksText(const CheckList& checks, int columns, bool colored) {
  std::string text;
  for (const Check& check : checks.all()) {
    const StateLook look = LookOf(check.state);
    const std::string said =
        absl::StrCat(check.subject, check.subject.empty() ? "" : ": ", check.detail);
    text += Rows(look.mark, look.style, said, columns, colored);
    if (!check.remedy.empty()) {
      text += Rows("   ->", Style::kFaint, check.remedy, columns, colored);
    }
  }
  return text + Summary(checks);
}

std::string ChecksPlain(const CheckList& checks) {
  TextTable table({{}, {}, {}, {}, {}});
  for (const Check& check : checks.all()) {
    table.AddRow({std::string(LookOf(check.state).name), check.id, Printable(check.subject),
                  Printable(check.detail), Printable(check.remedy)});
  }
  return table.PlainText();
}

std::string ChecksJson(const CheckList& checks) {
  json::array all;
  for (const Check& check : checks.all()) {
    const absl::string_view state = LookOf(check.state).name;
    all.push_back({{"id", check.id},
                   {"subject", check.subject},
                   {"state", std::string(state)},
                   {"detail", check.detail},
                   {"remedy", check.remedy}});
  }
  const json::object page = {{"ok", checks.Count(CheckState::kFailure) == 0},
                             {"checks", std::move(all)}};
  return JsonLine(page);
}

}  // namespace rawgate::cli
