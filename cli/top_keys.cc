#include "cli/top_keys.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/top_prompt.h"

namespace rawgate::cli {
namespace {

using Kind = TerminalKey::Kind;

void Say(TopChoice& choice, std::string message, Style style = Style::kUnread) {
  choice.message = std::move(message);
  choice.message_style = style;
}

void Show(TopView view, TopChoice& choice) {
  // What is held is what was shown.
  if (choice.view != view) choice.paused = false;
  choice.view = view;
  choice.help = choice.details = false;
  choice.events_back = 0;
}

void OpenText(bool& which, TopChoice& choice) {
  which = true;
  choice.text_first = 0;
}

// --- moving

// Other connections, of the page behind this one or before it.
void TurnPage(bool forward, const TopData& data, TopChoice& choice) {
  if (choice.page_turning) return;
  if (forward) {
    choice.pages.push_back(data.connections().next_page_token());
  } else {
    choice.pages.pop_back();
  }
  choice.page_turning = true;
  choice.paused = false;
  auto& list = choice.lists[1];
  // Going back ends at the last row, wherever that will be.
  list.at = list.first = forward ? 0 : static_cast<size_t>(-1);
  list.selected.clear();
}

void MoveRows(ptrdiff_t by, const TopData& data, TopChoice& choice) {
  TopChoice::List& list = choice.list();
  const size_t count = choice.shape().Items(data, list.order).size();
  const auto last = static_cast<ptrdiff_t>(count) - 1;
  const ptrdiff_t to = static_cast<ptrdiff_t>(std::min(list.at, count)) + by;
  if (choice.view == TopView::kConnections && choice.pages_of_gateway()) {
    // First to the edge, then beyond it.
    const auto at = static_cast<ptrdiff_t>(list.at);
    if (by > 0 && at >= last && !data.connections().next_page_token().empty())
      return TurnPage(true, data, choice);
    if (by < 0 && at <= 0 && !choice.pages.empty()) return TurnPage(false, data, choice);
  }
  list.at = static_cast<size_t>(std::clamp<ptrdiff_t>(to, 0, std::max<ptrdiff_t>(0, last)));
  const auto items = choice.shape().Items(data, list.order);
  list.selected = items.empty() ? "" : items[list.at].key;
}

void Move(ptrdiff_t by, const TopData& data, TopChoice& choice) {
  if (choice.help || choice.details) {
    const ptrdiff_t to = static_cast<ptrdiff_t>(choice.text_first) + by;
    choice.text_first = static_cast<size_t>(std::max<ptrdiff_t>(0, to));
  } else if (choice.view == TopView::kEvents) {
    const ptrdiff_t to = static_cast<ptrdiff_t>(choice.events_back) - by;
    choice.events_back = static_cast<size_t>(
        std::clamp<ptrdiff_t>(to, 0, static_cast<ptrdiff_t>(data.events().size())));
  } else {
    MoveRows(by, data, choice);
  }
}

// --- acting

std::optional<TopItem> Selected(const TopData& data, const TopLayout& layout, TopChoice& choice) {
  const std::vector<TopItem> items = ArrangeTop(data, layout, choice);
  if (items.empty()) return std::nullopt;
  return items[choice.list().at];
}

// Of a service with several processes, the one of the row.
TopAction ActionOn(TopAction::Kind kind, const TopData& data, const TopItem& item) {
  TopAction action;
  action.kind = kind;
  action.name = NameOf(item);
  if (item.connection != nullptr) {
    action.service = item.connection->service();
    action.instance = item.connection->instance();
    action.connection = item.connection->id();
    action.name = absl::StrCat("#", action.connection, " of ", action.name);
    return action;
  }
  action.service = item.service->name();
  if (item.listener != nullptr) action.listener = item.listener->name();
  if (data.replicated().count(action.service) > 0) {
    action.instance = item.service->instance();
    absl::StrAppend(&action.name, "@", ShortInstance(action.instance));
  }
  return action;
}

std::vector<TopAction> Act(TopAction::Kind kind, const TopData& data, const TopLayout& layout,
                           TopChoice& choice) {
  const bool closes = kind == TopAction::Kind::kClose;
  if (closes != (choice.view == TopView::kConnections) || choice.view == TopView::kEvents) {
    Say(choice, closes ? "c closes connections, which the second view shows"
                       : "s and x are for services, which the first view shows");
    return {};
  }
  const auto item = Selected(data, layout, choice);
  if (!item) return {};
  TopAction action = ActionOn(kind, data, *item);
  if (kind == TopAction::Kind::kStart) {
    Say(choice, absl::StrCat("starting ", action.name));
    return {action};
  }
  choice.prompt.kind = closes ? TopPrompt::Kind::kClose : TopPrompt::Kind::kStop;
  choice.prompt.action = std::move(action);
  choice.prompt.editor = LineEditor();
  if (!closes) {
    const std::string grace = absl::StrCat(absl::ToInt64Seconds(kTopGrace));
    choice.prompt.editor.Take({Kind::kText, grace});
  }
  return {};
}

// --- ordering

// By the next column that is on the screen: the first one always is.
void Sort(int by, const TopData& data, const TopLayout& layout, TopChoice& choice) {
  if (choice.view == TopView::kEvents) return;
  TopOrder& order = choice.list().order;
  const TopList& list = choice.shape();
  const std::vector<bool> shown =
      list.Table(data, list.Items(data, order), order.column).Shown(layout.width);
  const auto columns = static_cast<int>(shown.size());
  do {
    order.column = static_cast<size_t>((static_cast<int>(order.column) + by + columns) % columns);
  } while (order.column > 0 && !shown[order.column]);
  choice.pages.clear();
}

void Reverse(TopChoice& choice) {
  if (choice.view == TopView::kEvents) return;
  choice.list().order.reversed = !choice.list().order.reversed;
  choice.pages.clear();
}

// The connections of the selected row's service alone, or of all again.
void ShowConnected(const TopData& data, const TopLayout& layout, TopChoice& choice) {
  if (choice.view == TopView::kServices) {
    const auto item = Selected(data, layout, choice);
    if (!item) return;
    choice.service = item->service->name();
  } else {
    choice.service.clear();
  }
  choice.pages.clear();
  Show(TopView::kConnections, choice);
}

void GoBack(TopChoice& choice) {
  if (choice.help || choice.details) {
    choice.help = choice.details = false;
  } else if (!choice.filter().empty()) {
    choice.filter().clear();
  } else if (!choice.service.empty() && choice.view == TopView::kConnections) {
    choice.service.clear();
    choice.pages.clear();
  }
}

// As vi has them.
Kind MoveOfLetter(char letter) {
  switch (letter) {
    case 'j':
      return Kind::kDown;
    case 'k':
      return Kind::kUp;
    case 'g':
      return Kind::kHome;
    case 'G':
      return Kind::kEnd;
    default:
      return Kind::kText;
  }
}

// False for a key that moves nothing.
bool MoveBy(Kind kind, const TopData& data, const TopLayout& layout, TopChoice& choice) {
  const auto page = std::max<ptrdiff_t>(1, static_cast<ptrdiff_t>(layout.rows) - 1);
  constexpr auto kFar = static_cast<ptrdiff_t>(2 * TopData::kEventsMax);
  switch (kind) {
    case Kind::kUp:
      Move(-1, data, choice);
      return true;
    case Kind::kDown:
      Move(1, data, choice);
      return true;
    case Kind::kPageUp:
      Move(-page, data, choice);
      return true;
    case Kind::kPageDown:
      Move(page, data, choice);
      return true;
    case Kind::kHome:
      Move(-kFar, data, choice);
      return true;
    case Kind::kEnd:
      Move(kFar, data, choice);
      return true;
    default:
      return false;
  }
}

// Letters that change what is shown, and how.
void PressViewLetter(char letter, const TopData& data, const TopLayout& layout, TopChoice& choice) {
  if (letter == 'q') choice.quit = true;
  if (letter == '?') choice.help ? GoBack(choice) : OpenText(choice.help, choice);
  if (letter >= '1' && letter <= '3') Show(static_cast<TopView>(letter - '1'), choice);
  if (letter == '\t') {
    Show(static_cast<TopView>((static_cast<size_t>(choice.view) + 1) % kTopViews), choice);
  }
  if (letter == 'w') ShowConnected(data, layout, choice);
  if (letter == '/') BeginTopFilter(choice);
  if (letter == '>' || letter == 'o') Sort(1, data, layout, choice);
  if (letter == '<') Sort(-1, data, layout, choice);
  if (letter == 'r') Reverse(choice);
  if (letter == ' ') choice.paused = !choice.paused;
}

std::vector<TopAction> PressLetter(char letter, const TopData& data, const TopLayout& layout,
                                   TopChoice& choice) {
  if (MoveBy(MoveOfLetter(letter), data, layout, choice)) return {};
  switch (letter) {
    case 's':
      return Act(TopAction::Kind::kStart, data, layout, choice);
    case 'S':
    case 'x':
      return Act(TopAction::Kind::kStop, data, layout, choice);
    case 'c':
      return Act(TopAction::Kind::kClose, data, layout, choice);
    default:
      PressViewLetter(letter, data, layout, choice);
      return {};
  }
}

void Open(const TerminalKey& key, const TopData& data, const TopLayout& layout, TopChoice& choice) {
  if (choice.help || choice.details) {
    if (key.kind == Kind::kEnter) GoBack(choice);
  } else if (choice.view != TopView::kEvents && Selected(data, layout, choice)) {
    OpenText(choice.details, choice);
  }
}

}  // namespace

std::vector<TopAction> PressTopKey(const TerminalKey& key, const TopData& data,
                                   const TopLayout& layout, TopChoice& choice) {
  choice.message.clear();
  if (choice.prompt.kind != TopPrompt::Kind::kNone) return PressInTopPrompt(key, choice);
  if (MoveBy(key.kind, data, layout, choice)) return {};
  std::vector<TopAction> actions;
  switch (key.kind) {
    case Kind::kText:
      for (const char letter : key.text) {
        // What was pasted ends where something is asked.
        if (choice.prompt.kind != TopPrompt::Kind::kNone) break;
        for (auto& action : PressLetter(letter, data, layout, choice))
          actions.push_back(std::move(action));
      }
      break;
    case Kind::kEnter:
    case Kind::kRight:
      Open(key, data, layout, choice);
      break;
    case Kind::kLeft:
    case Kind::kEscape:
    case Kind::kBackspace:
      GoBack(choice);
      break;
    default:
      break;
  }
  return actions;
}

}  // namespace rawgate::cli
