#include "cli/top_prompt.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/top_keys.h"

namespace rawgate::cli {
namespace {

using Kind = TerminalKey::Kind;
using Prompt = TopPrompt::Kind;

constexpr absl::Duration kGraceMax = absl::Minutes(10);

// What stands in the editor, which has no look without a take.
std::string TextOf(const LineEditor& editor) {
  LineEditor copy = editor;
  return copy.TakeLine();
}

void End(TopChoice& choice, std::string message) {
  choice.prompt.kind = Prompt::kNone;
  choice.message = std::move(message);
  choice.message_style = Style::kUnread;
}

std::vector<TopAction> Stop(TopChoice& choice) {
  TopAction action = choice.prompt.action;
  const std::string typed = TextOf(choice.prompt.editor);
  double seconds = 0;
  if (!absl::SimpleAtod(typed, &seconds)) {
    End(choice, absl::StrCat("\"", Printable(typed), "\" is no time; nothing was stopped"));
    return {};
  }
  action.grace = absl::Seconds(seconds);
  if (action.grace > kGraceMax) {
    End(choice, "a grace is at most ten minutes; nothing was stopped");
    return {};
  }
  End(choice, absl::StrCat("stopping ", action.name));
  return {action};
}

std::vector<TopAction> PressInFilter(const TerminalKey& key, TopChoice& choice) {
  TopPrompt& prompt = choice.prompt;
  if (key.kind == Kind::kEscape) {
    choice.filter() = prompt.before;
    prompt.kind = Prompt::kNone;
    return {};
  }
  const LineEditor::Result result = prompt.editor.Take(key);
  choice.filter() = TextOf(prompt.editor);
  choice.pages.clear();
  if (result != LineEditor::Result::kEdited) prompt.kind = Prompt::kNone;
  return {};
}

}  // namespace

void BeginTopFilter(TopChoice& choice) {
  choice.help = choice.details = false;
  choice.prompt.kind = Prompt::kFilter;
  choice.prompt.before = choice.filter();
  choice.prompt.editor = LineEditor();
  choice.prompt.editor.Take({Kind::kText, choice.filter()});
}

std::vector<TopAction> PressInTopPrompt(const TerminalKey& key, TopChoice& choice) {
  TopPrompt& prompt = choice.prompt;
  if (prompt.kind == Prompt::kFilter) return PressInFilter(key, choice);
  if (key.kind == Kind::kEscape) {
    End(choice, "nothing was done");
    return {};
  }
  if (prompt.kind == Prompt::kClose) {
    const bool yes = key.kind == Kind::kEnter || (key.kind == Kind::kText && key.text == "y");
    const TopAction action = prompt.action;
    End(choice, yes ? absl::StrCat("closing ", action.name) : "nothing was done");
    return yes ? std::vector<TopAction>{action} : std::vector<TopAction>{};
  }
  // Part of a text would be another number than it.
  if (key.kind == Kind::kText && key.text.find_first_not_of("0123456789.") != key.text.npos) {
    return {};
  }
  switch (prompt.editor.Take(key)) {
    case LineEditor::Result::kEnter:
      return Stop(choice);
    case LineEditor::Result::kEnd:
      End(choice, "nothing was done");
      return {};
    case LineEditor::Result::kEdited:
      break;
  }
  return {};
}

ScreenLine TopPromptLine(const TopChoice& choice, int width) {
  const TopPrompt& prompt = choice.prompt;
  ScreenLine line;
  std::string hint;
  switch (prompt.kind) {
    case Prompt::kNone:
      return line;
    case Prompt::kFilter:
      line.Add("/", Style::kStrong);
      break;
    case Prompt::kStop:
      line.Add(absl::StrCat("Stop ", prompt.action.name, "? Grace in seconds: "), Style::kStrong);
      hint = "  Enter: yes, Esc: no";
      break;
    case Prompt::kClose:
      line.Add(absl::StrCat("Close ", prompt.action.name, "? "), Style::kStrong);
      line.Add("Enter or y: yes, any other key: no");
      return line.CutTo(width);
  }
  const int room = std::max(1, width - line.width() - static_cast<int>(hint.size()) - 1);
  const LineEditor::View view = prompt.editor.Visible(room);
  line.Add(view.before).Add("_", Style::kSelected).Add(view.after).Add(hint, Style::kFaint);
  return line.CutTo(width);
}

}  // namespace rawgate::cli
