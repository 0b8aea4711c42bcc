#include "cli/top_list.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "cli/text_match.h"

namespace rawgate::cli {

using control::v1::ServiceState;

std::vector<TopItem> TopList::Items(const TopData& data, const TopOrder& order) const {
  std::vector<Group> groups = groups_(data);
  if (order.column > 0 && order.column < columns_.size()) {
    const auto less = [&](const TopItem& a, const TopItem& b) { return Less(data, order, a, b); };
    // The first of a group, the service, speaks for it.
    for (Group& group : groups) std::stable_sort(group.begin() + 1, group.end(), less);
    std::stable_sort(groups.begin(), groups.end(),
                     [&](const Group& a, const Group& b) { return less(a.front(), b.front()); });
  } else if (order.reversed) {
    std::reverse(groups.begin(), groups.end());
  }
  std::vector<TopItem> items;
  for (Group& group : groups) {
    for (TopItem& item : group) {
      if (Matches(data, item, order.filter)) items.push_back(std::move(item));
    }
  }
  return items;
}

bool TopList::Less(const TopData& data, const TopOrder& order, const TopItem& a,
                   const TopItem& b) const {
  const Column& column = columns_[order.column];
  if (column.number != nullptr) {
    const double first = column.number(data, a);
    const double second = column.number(data, b);
    return order.reversed ? first < second : first > second;
  }
  const std::string first = column.cell(data, a).text;
  const std::string second = column.cell(data, b).text;
  return order.reversed ? first > second : first < second;
}

bool TopList::Matches(const TopData& data, const TopItem& item, absl::string_view filter) const {
  if (filter.empty()) return true;
  const auto cells = Cells(data, item);
  return std::any_of(cells.begin(), cells.end(), [&](const ScreenTable::Cell& cell) {
    return ContainsIgnoringCase(cell.text, filter);
  });
}

size_t TopList::ColumnOf(absl::string_view heading) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(), [&](const Column& column) {
    return absl::EqualsIgnoreCase(column.shape.heading, heading);
  });
  return static_cast<size_t>(found - columns_.begin());
}

std::vector<ScreenTable::Cell> TopList::Cells(const TopData& data, const TopItem& item) const {
  std::vector<ScreenTable::Cell> cells;
  for (const Column& column : columns_) cells.push_back(column.cell(data, item));
  return cells;
}

ScreenTable TopList::Table(const TopData& data, const std::vector<TopItem>& items,
                           size_t sorted) const {
  std::vector<ScreenTable::Column> shapes;
  for (const Column& column : columns_) shapes.push_back(column.shape);
  ScreenTable table(std::move(shapes), sorted);
  for (const TopItem& item : items) table.AddRow(Cells(data, item));
  return table;
}

uint64_t DropsOf(const control::v1::Counters& counters) {
  return counters.datagrams_dropped() + counters.datagrams_overflowed() + counters.send_failures();
}

std::string StateOf(const TopItem& item) {
  if (item.listener == nullptr) return StateName(item.service->state());
  // What is known of a process that does not answer is of the past.
  if (item.service->state() == control::v1::SERVICE_STATE_UNREACHABLE) return "unknown";
  return StateName(item.listener->state());
}

Style StyleOfState(ServiceState state) {
  switch (state) {
    case control::v1::SERVICE_STATE_RUNNING:
      return Style::kGood;
    case control::v1::SERVICE_STATE_FAILED:
    case control::v1::SERVICE_STATE_UNREACHABLE:
      return Style::kBad;
    case control::v1::SERVICE_STATE_STOPPED:
      return Style::kFaint;
    default:
      return Style::kUnread;
  }
}

std::string NameOf(const TopItem& item) {
  if (item.connection != nullptr) {
    return absl::StrCat(Printable(item.connection->service()), "/",
                        Printable(item.connection->listener()));
  }
  std::string name = Printable(item.service->name());
  if (item.listener != nullptr) absl::StrAppend(&name, "/", Printable(item.listener->name()));
  return name;
}

}  // namespace rawgate::cli
