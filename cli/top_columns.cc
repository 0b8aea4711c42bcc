// The columns of TopList: see top_list.h.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/compact_number.h"
#include "cli/display_text.h"
#include "cli/fault_text.h"
#include "cli/proto_text.h"
#include "cli/top_list.h"

namespace rawgate::cli {
namespace {

using Cell = ScreenTable::Cell;
using control::v1::Connection;
using control::v1::Counters;

const Counters& CountersOf(const TopItem& item) {
  return item.listener != nullptr ? item.listener->counters() : item.service->counters();
}

TopRates RatesOf(const TopData& data, const TopItem& item) {
  if (item.connection != nullptr) return data.RatesOf(*item.connection);
  return item.listener != nullptr ? data.RatesOf(*item.service, *item.listener)
                                  : data.RatesOf(*item.service);
}

Cell Rate(const TopRates& rates, std::string text) {
  if (!rates.known) return {kTopUnknown, Style::kFaint};
  return {std::move(text)};
}

// --- of services and listeners

Cell InstanceCell(const TopData& data, const TopItem& item) {
  const auto& name = item.connection ? item.connection->service() : item.service->name();
  if (data.replicated().count(name) == 0) return {};
  return {ShortInstance(item.connection ? item.connection->instance() : item.service->instance())};
}

Cell StateCell(const TopData&, const TopItem& item) {
  const bool of_service =
      item.listener == nullptr || item.service->state() == control::v1::SERVICE_STATE_UNREACHABLE;
  return {StateOf(item), StyleOfState(of_service ? item.service->state() : item.listener->state())};
}

Cell ErrorsCell(const TopData& data, const TopItem& item) {
  const TopRates rates = RatesOf(data, item);
  Cell cell = Rate(rates, CompactCount(rates.errors));
  if (rates.errors > 0) cell.style = Style::kBad;
  return cell;
}

Cell DropsCell(const TopData&, const TopItem& item) {
  const uint64_t drops = DropsOf(CountersOf(item));
  return {CompactCount(static_cast<double>(drops)), drops > 0 ? Style::kUnread : Style::kPlain};
}

Cell FaultsCell(const TopData&, const TopItem& item) {
  if (item.listener == nullptr || !item.listener->has_faults()) return {};
  return {FaultsText(item.listener->faults()), Style::kUnread};
}

const google::protobuf::Timestamp& SinceOf(const TopItem& item) {
  return item.listener ? item.listener->state_time() : item.service->state_time();
}

double SinceNumber(const TopData& data, const TopItem& item) {
  if (SinceOf(item).seconds() == 0) return 0;
  return absl::ToDoubleSeconds(data.time() - ToTime(SinceOf(item)));
}

Cell SinceCell(const TopData& data, const TopItem& item) {
  if (SinceOf(item).seconds() == 0) return {};
  return {HumanDuration(absl::Seconds(SinceNumber(data, item)))};
}

Cell AddressCell(const TopData& data, const TopItem& item) {
  if (item.listener == nullptr) {
    // Replicas differ in it.
    const bool shown = data.replicated().count(item.service->name()) > 0;
    return {shown ? Printable(item.service->address()) : "", Style::kFaint};
  }
  const auto& bound = item.listener->bound_address();
  return {Printable(bound.empty() ? item.listener->configured_address() : bound),
          bound.empty() ? Style::kFaint : Style::kPlain};
}

std::vector<std::vector<TopItem>> ServiceGroups(const TopData& data) {
  std::vector<std::vector<TopItem>> groups;
  for (const auto& service : data.services().services()) {
    auto& group = groups.emplace_back();
    group.push_back({TopKey(service), &service});
    for (const auto& listener : service.listeners())
      group.push_back({TopKey(service, listener), &service, &listener});
  }
  return groups;
}

// --- of connections

absl::Duration AgeOf(const TopData& data, const TopItem& item) {
  return data.time() - ToTime(item.connection->open_time());
}

std::vector<std::vector<TopItem>> ConnectionGroups(const TopData& data) {
  std::vector<std::vector<TopItem>> groups;
  for (const auto& connection : data.connections().connections())
    groups.push_back({{TopKey(connection), nullptr, nullptr, &connection}});
  return groups;
}

// --- of both

// A column of numbers, shown by `text`.
template <double (*number)(const TopData&, const TopItem&), std::string (*text)(double)>
TopList::Column Number(ScreenTable::Column shape) {
  shape.right = true;
  return {
      std::move(shape),
      [](const TopData& data, const TopItem& item) -> Cell { return {text(number(data, item))}; },
      number};
}

// The same for one that is not known before the second sample.
template <double TopRates::*rate, std::string (*text)(double)>
TopList::Column RateNumber(ScreenTable::Column shape) {
  shape.right = true;
  return {std::move(shape),
          [](const TopData& data, const TopItem& item) {
            const TopRates rates = RatesOf(data, item);
            return Rate(rates, text(rates.*rate));
          },
          [](const TopData& data, const TopItem& item) { return RatesOf(data, item).*rate; }};
}

template <uint64_t (Counters::*total)() const>
double Total(const TopData&, const TopItem& item) {
  return static_cast<double>((CountersOf(item).*total)());
}

template <uint64_t (Connection::*total)() const>
double Total(const TopData&, const TopItem& item) {
  return static_cast<double>((item.connection->*total)());
}

double DropsNumber(const TopData&, const TopItem& item) {
  return static_cast<double>(DropsOf(CountersOf(item)));
}

double AgeNumber(const TopData& data, const TopItem& item) {
  return absl::ToDoubleSeconds(AgeOf(data, item));
}

std::string Whole(double number) { return absl::StrCat(static_cast<uint64_t>(number)); }

std::string Age(double seconds) { return HumanDuration(absl::Seconds(seconds)); }

Cell NameCell(const TopData&, const TopItem& item) { return {NameOf(item)}; }

}  // namespace

const TopList& TopList::Services() {
  static const TopList& list = *new TopList(
      {
          {{.heading = "NAME"}, NameCell},
          {{.heading = "INSTANCE", .rank = 7, .optional = true}, InstanceCell},
          {{.heading = "STATE"}, StateCell},
          {{.heading = "SINCE", .right = true, .rank = 10}, SinceCell, SinceNumber},
          Number<Total<&Counters::connections_open>, CompactCount>({.heading = "OPEN", .rank = 2}),
          RateNumber<&TopRates::requests, CompactCount>({.heading = "REQ/S", .rank = 1}),
          {{.heading = "ERR/S", .right = true, .rank = 3},
           ErrorsCell,
           [](const TopData& data, const TopItem& item) { return RatesOf(data, item).errors; }},
          RateNumber<&TopRates::received, CompactSize>(
              {.heading = "IN/S", .minimum = 5, .rank = 5}),
          RateNumber<&TopRates::sent, CompactSize>({.heading = "OUT/S", .rank = 5}),
          {{.heading = "DROPS", .right = true, .rank = 6}, DropsCell, DropsNumber},
          Number<Total<&Counters::requests>, Whole>({.heading = "REQUESTS", .rank = 11}),
          Number<Total<&Counters::bytes_received>, CompactSize>({.heading = "IN", .rank = 12}),
          Number<Total<&Counters::bytes_sent>, CompactSize>({.heading = "OUT", .rank = 12}),
          {{.heading = "FAULTS",
            .rank = 4,
            .least = 8,
            .enough = 24,
            .loses_end = true,
            .optional = true},
           FaultsCell},
          {{.heading = "ADDRESS", .rank = 8, .least = 9, .enough = 24}, AddressCell},
      },
      ServiceGroups);
  return list;
}

const TopList& TopList::Connections() {
  static const TopList& list = *new TopList(
      {
          {{.heading = "NAME"}, NameCell},
          {{.heading = "INSTANCE", .rank = 7, .optional = true}, InstanceCell},
          Number<Total<&Connection::id>, Whole>({.heading = "ID"}),
          {{.heading = "PEER", .least = 10, .enough = 21},
           [](const TopData&, const TopItem& item) -> Cell {
             return {Printable(item.connection->peer())};
           }},
          {{.heading = "USER",
            .rank = 4,
            .least = 6,
            .enough = 12,
            .loses_end = true,
            .optional = true},
           [](const TopData&, const TopItem& item) -> Cell {
             return {Printable(item.connection->user())};
           }},
          Number<AgeNumber, Age>({.heading = "AGE", .rank = 3}),
          RateNumber<&TopRates::received, CompactSize>(
              {.heading = "IN/S", .minimum = 5, .rank = 2}),
          RateNumber<&TopRates::sent, CompactSize>({.heading = "OUT/S", .rank = 2}),
          RateNumber<&TopRates::requests, CompactCount>({.heading = "REQ/S", .rank = 8}),
          Number<Total<&Connection::bytes_received>, CompactSize>({.heading = "IN", .rank = 6}),
          Number<Total<&Connection::bytes_sent>, CompactSize>({.heading = "OUT", .rank = 6}),
          Number<Total<&Connection::requests>, Whole>({.heading = "REQUESTS", .rank = 5}),
      },
      ConnectionGroups);
  return list;
}

}  // namespace rawgate::cli
