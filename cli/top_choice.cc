#include "cli/top_choice.h"

#include <algorithm>

namespace rawgate::cli {
namespace {

// From these heights on there is room for the line of views, and for that of keys.
constexpr int kRoomForViews = 12;
constexpr int kRoomForSummary = 6;

}  // namespace

TopLayout LayoutOf(int width, int height) {
  TopLayout layout;
  layout.width = std::max(1, width);
  layout.height = std::max(1, height);
  // Title, heading; summary; views.
  layout.head = 2 + (height >= kRoomForSummary ? 1 : 0) + (height >= kRoomForViews ? 1 : 0);
  layout.foot = height >= kRoomForViews ? 2 : 1;
  layout.rows = static_cast<size_t>(std::max(1, layout.height - layout.head - layout.foot));
  return layout;
}

std::vector<TopItem> ArrangeTop(const TopData& data, const TopLayout& layout, TopChoice& choice) {
  if (choice.view == TopView::kEvents) return {};
  TopChoice::List& list = choice.list();
  std::vector<TopItem> items = choice.shape().Items(data, list.order);
  if (items.empty()) {
    list.first = 0;
    return items;
  }
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const TopItem& item) { return item.key == list.selected; });
  list.at = found != items.end() ? static_cast<size_t>(found - items.begin())
                                 : std::min(list.at, items.size() - 1);
  list.selected = items[list.at].key;
  list.first = std::min(list.first, list.at);
  if (list.at >= list.first + layout.rows) list.first = list.at - layout.rows + 1;
  // No empty rows below while there are some above.
  const size_t last_first = items.size() > layout.rows ? items.size() - layout.rows : 0;
  list.first = std::min(list.first, last_first);
  return items;
}

}  // namespace rawgate::cli
