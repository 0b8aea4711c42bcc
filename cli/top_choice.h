// What the person at `rawgate top` has chosen to see, and what the screen makes of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/line_editor.h"
#include "cli/text_style.h"
#include "cli/top_data.h"
#include "cli/top_list.h"

namespace rawgate::cli {

enum class TopView { kServices, kConnections, kEvents };
inline constexpr size_t kTopViews = 3;

// What an operator wants done.
struct TopAction {
  enum class Kind { kStart, kStop, kClose };
  Kind kind = Kind::kStart;
  // As in the requests of ControlService.
  std::string service;
  std::string listener;
  std::string instance;
  uint64_t connection = 0;
  absl::Duration grace;
  // For people: "echo/tcp", "#17 of echo/tcp".
  std::string name;
};

// A question in the line below the rows.
struct TopPrompt {
  enum class Kind { kNone, kFilter, kStop, kClose };
  Kind kind = Kind::kNone;
  LineEditor editor;
  // Of the filter: what comes back with Escape.
  std::string before;
  // Of the others: what is done if the answer is yes.
  TopAction action;
};

struct TopChoice {
  // Of services and of connections.
  struct List {
    TopOrder order;
    // The row that keys are about, and where it was, should it be gone.
    std::string selected;
    size_t at = 0;
    // The first row on the screen.
    size_t first = 0;
  };

  TopView view = TopView::kServices;
  std::array<List, 2> lists;
  // Of the events; the filters of the others are in their order.
  std::string events_filter;
  // How many events further back than the newest.
  size_t events_back = 0;
  // Only connections of this service; empty: of all.
  std::string service;
  // ListConnectionsRequest.page_token of the page that is shown and of those before it, but for the
  // first.
  std::vector<std::string> pages;
  // Another page was asked for and has not come.
  bool page_turning = false;

  bool help = false;
  bool details = false;
  // The first line of them on the screen.
  size_t text_first = 0;
  // What is shown stays.
  bool paused = false;
  TopPrompt prompt;
  // Until the next key.
  std::string message;
  Style message_style = Style::kPlain;
  bool quit = false;

  // Of the view, which is no view of events.
  List& list() { return lists[static_cast<size_t>(view)]; }
  const List& list() const { return lists[static_cast<size_t>(view)]; }
  const TopList& shape() const {
    return view == TopView::kConnections ? TopList::Connections() : TopList::Services();
  }
  std::string& filter() { return view == TopView::kEvents ? events_filter : list().order.filter; }
  const std::string& filter() const {
    return view == TopView::kEvents ? events_filter : list().order.filter;
  }
  // Connections as the gateway has them, a screenful each time: otherwise more are asked for, from
  // which what is shown is chosen.
  bool pages_of_gateway() const {
    const TopOrder& order = lists[1].order;
    return order.column == 0 && !order.reversed && order.filter.empty();
  }
};

// How the rows of the screen are used.
struct TopLayout {
  int width = 0;
  int height = 0;
  // Lines above the rows, the heading of the table among them.
  int head = 0;
  // Lines below them.
  int foot = 0;
  // Of a list, or of the text of help and details.
  size_t rows = 0;
};
// What is not needed goes first on a low screen.
TopLayout LayoutOf(int width, int height);

// The items of the view, and `choice` such that what is selected is one of them and on the screen.
std::vector<TopItem> ArrangeTop(const TopData& data, const TopLayout& layout, TopChoice& choice);

}  // namespace rawgate::cli
