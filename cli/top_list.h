// The rows of `rawgate top`: which, in which order, and what is in their columns.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/screen_table.h"
#include "cli/top_data.h"

namespace rawgate::cli {

// What a row is about; it points into the TopData that it comes from.
struct TopItem {
  // TopKey() of it.
  std::string key;
  // Of services and listeners.
  const control::v1::Service* service = nullptr;
  // Null for the service itself.
  const control::v1::Listener* listener = nullptr;
  // Of connections.
  const control::v1::Connection* connection = nullptr;
};

// How rows are ordered and chosen.
struct TopOrder {
  // Of the columns. 0: as the gateway has them.
  size_t column = 0;
  // Numbers: the greatest first unless `reversed`; text the other way round.
  bool reversed = false;
  // Rows in which no cell has this, whether in capitals or not, are left out.
  std::string filter;
};

// Both know the order of TopData's lists alone: no I/O, no clock but `now`.
class TopList {
 public:
  struct Column {
    ScreenTable::Column shape;
    ScreenTable::Cell (*cell)(const TopData& data, const TopItem& item);
    // What is sorted by; null: the cell's text.
    double (*number)(const TopData& data, const TopItem& item) = nullptr;
  };

  // Services, each followed by its listeners, which stay with it in any order.
  static const TopList& Services();
  static const TopList& Connections();

  std::vector<TopItem> Items(const TopData& data, const TopOrder& order) const;

  const std::vector<Column>& columns() const { return columns_; }
  // By its heading, whether in capitals or not; columns().size() where there is none.
  size_t ColumnOf(absl::string_view heading) const;

  std::vector<ScreenTable::Cell> Cells(const TopData& data, const TopItem& item) const;
  ScreenTable Table(const TopData& data, const std::vector<TopItem>& items, size_t sorted) const;

 private:
  // Rows that stay together.
  using Group = std::vector<TopItem>;

  TopList(std::vector<Column> columns, std::vector<Group> (*groups)(const TopData& data))
      : columns_(std::move(columns)), groups_(groups) {}

  bool Less(const TopData& data, const TopOrder& order, const TopItem& a, const TopItem& b) const;
  bool Matches(const TopData& data, const TopItem& item, absl::string_view filter) const;

  const std::vector<Column> columns_;
  std::vector<Group> (*const groups_)(const TopData& data);
};

// What stands for a rate that is not known yet.
inline constexpr char kTopUnknown[] = "-";

// How many datagrams were not served, or not sent: dropped, overflowed, and failed.
uint64_t DropsOf(const control::v1::Counters& counters);

// "running"; of a listener of a process that does not answer "unknown".
std::string StateOf(const TopItem& item);
Style StyleOfState(control::v1::ServiceState state);

// "echo", "echo/tcp".
std::string NameOf(const TopItem& item);

}  // namespace rawgate::cli
