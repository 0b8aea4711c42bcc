#include "cli/top_batch.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "boost/json.hpp"
#include "cli/display_text.h"
#include "cli/json_text.h"
#include "cli/output_format.h"
#include "cli/proto_text.h"
#include "cli/screen_table.h"
#include "cli/text_table.h"
#include "cli/top_feed.h"
#include "cli/top_options.h"
#include "cli/transfer_retry.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;
using control::v1::ControlService;

TextTable EmptyTable(bool with_time) {
  std::vector<TextTable::Column> columns;
  if (with_time) columns.push_back({.heading = "TIME"});
  for (const auto& column : TopList::Services().columns()) {
    columns.push_back({column.shape.heading,
                       column.shape.right ? TextTable::Align::kRight : TextTable::Align::kLeft,
                       column.shape.optional});
  }
  return TextTable(std::move(columns));
}

// For programs.
std::string PlainCell(const TopList::Column& column, const TopData& data, const TopItem& item) {
  std::string text = column.cell(data, item).text;
  if (column.number == nullptr) return text;
  if (text.empty() || text == kTopUnknown) return "";
  const double number = column.number(data, item);
  return absl::StrFormat("%.*f", number == std::floor(number) ? 0 : 3, number);
}

// With three decimals at most.
json::value RateValue(const TopRates& rates, double rate) {
  if (!rates.known) return nullptr;
  const double rounded = std::round(rate * 1000) / 1000;
  if (!std::isfinite(rounded)) return nullptr;
  // Counters are what somebody told: their rate may be more than an int64_t has. The most that both
  // have is the double below 2^63.
  constexpr double kMost = 9223372036854774784.0;
  if (rounded == std::floor(rounded))
    return static_cast<int64_t>(std::clamp(rounded, -kMost, kMost));
  return rounded;
}

json::object NumbersOf(const control::v1::Counters& counters, const TopRates& rates) {
  return {{"openConnections", counters.connections_open()},
          {"requestsPerSecond", RateValue(rates, rates.requests)},
          {"errorsPerSecond", RateValue(rates, rates.errors)},
          {"bytesReceivedPerSecond", RateValue(rates, rates.received)},
          {"bytesSentPerSecond", RateValue(rates, rates.sent)},
          {"requests", counters.requests()},
          {"errors", counters.request_errors()},
          {"bytesReceived", counters.bytes_received()},
          {"bytesSent", counters.bytes_sent()},
          {"drops", DropsOf(counters)}};
}

void Add(const json::object& from, json::object& to) {
  for (const auto& member : from) to.insert(member);
}

json::object ObjectOf(const TopData& data, const TopItem& item) {
  const bool is_listener = item.listener != nullptr;
  json::object object;
  object["name"] = is_listener ? item.listener->name() : item.service->name();
  if (!is_listener) object["instance"] = item.service->instance();
  object["address"] = is_listener ? item.listener->bound_address() : item.service->address();
  object["state"] = StateOf(item);
  object["lastError"] = is_listener ? item.listener->last_error() : item.service->last_error();
  if (is_listener) {
    Add(NumbersOf(item.listener->counters(), data.RatesOf(*item.service, *item.listener)), object);
    if (item.listener->has_faults())
      object["faults"] = json::parse(JsonLine(item.listener->faults()));
  } else {
    Add(NumbersOf(item.service->counters(), data.RatesOf(*item.service)), object);
    object["listeners"] = json::array();
  }
  return object;
}

// What comes from the feed, for a thread that waits for it.
class Arrivals {
 public:
  void Note() {
    const std::lock_guard lock(mutex_);
    there_ = true;
    wake_.notify_all();
  }
  // At the latest until then.
  void Await(absl::Time latest) {
    std::unique_lock lock(mutex_);
    const auto there = [this] { return there_; };
    if (latest == absl::InfiniteFuture()) {
      wake_.wait(lock, there);
    } else {
      wake_.wait_until(lock, absl::ToChronoTime(latest), there);
    }
    there_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool there_ = false;
};

// As the screen has it, without the marks in front.
std::string TableAsWideAs(int columns, const TopData& data, const std::vector<TopItem>& items) {
  constexpr int kMarkColumns = 2;
  const TopList& list = TopList::Services();
  const ScreenTable table = list.Table(data, items, list.columns().size());
  std::string text;
  for (const ScreenLine& line :
       table.Lines(columns + kMarkColumns, 0, items.size(), /*selected=*/items.size())) {
    const std::string row = line.Text().substr(kMarkColumns);
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(row), "\n");
  }
  return text;
}

std::string Snapshot(const TopOptions& options, const TopData& data, int columns) {
  switch (options.format) {
    case OutputFormat::kJson:
      return TopJsonLine(data, options.order);
    case OutputFormat::kPlain:
      return TopPlainText(data, options.order);
    case OutputFormat::kText:
      break;
  }
  return TopText(data, options.order, columns);
}

}  // namespace

std::string TopText(const TopData& data, const TopOrder& order, int columns) {
  const std::vector<TopItem> items = TopList::Services().Items(data, order);
  const std::string title = absl::StrCat("rawgate top  ", DateAndTime(data.time()), "\n");
  if (columns > 0) return absl::StrCat(title, TableAsWideAs(columns, data, items), "\n");
  TextTable table = EmptyTable(false);
  for (const TopItem& item : items) {
    std::vector<std::string> cells;
    for (auto& cell : TopList::Services().Cells(data, item)) cells.push_back(std::move(cell.text));
    table.AddRow(std::move(cells));
  }
  return absl::StrCat(title, table.Text(), "\n");
}

std::string TopPlainText(const TopData& data, const TopOrder& order) {
  TextTable table = EmptyTable(true);
  for (const TopItem& item : TopList::Services().Items(data, order)) {
    std::vector<std::string> cells = {TimeCell(data.time(), OutputFormat::kPlain)};
    for (const auto& column : TopList::Services().columns())
      cells.push_back(PlainCell(column, data, item));
    table.AddRow(std::move(cells));
  }
  return table.PlainText();
}

std::string TopJsonLine(const TopData& data, const TopOrder& order) {
  json::array services;
  std::string last;
  for (const TopItem& item : TopList::Services().Items(data, order)) {
    // A filter may leave out the service of a listener.
    const std::string key = TopKey(*item.service);
    if (services.empty() || key != last) services.push_back(ObjectOf(data, {key, item.service}));
    last = key;
    if (item.listener == nullptr) continue;
    services.back().as_object()["listeners"].as_array().push_back(ObjectOf(data, item));
  }
  return JsonLine(json::object{{"time", JsonTime(data.time())}, {"services", services}});
}

absl::StatusOr<int> RunTopBatch(const TopOptions& options, Context& context) {
  const auto stub = context.gateway.Stub<ControlService>();
  Arrivals arrivals;
  const auto note = [&] { arrivals.Note(); };
  const Interrupt::Scope stopped(context.interrupt, note);
  TopFeed feed(*stub, context.gateway.target(), options.interval, note);
  TopData data;
  // When the next snapshot is due. Then a sample is asked for, and the one that comes is shown;
  // others, which come for other reasons, only count in rates.
  absl::Time due = absl::InfiniteFuture();
  bool asked = false;
  std::string trouble;
  for (uint64_t shown = 0; options.count == 0 || shown < options.count;) {
    arrivals.Await(asked ? absl::InfiniteFuture() : due);
    if (context.interrupt.signal() != 0) return 0;
    TopFeed::News news = feed.Take();
    if (!news.status.ok() && !IsPassing(news.status)) return news.status;
    if (news.trouble != trouble && !news.trouble.empty())
      context.console.Error(absl::StrCat("rawgate top: ", news.trouble, "\n"));
    trouble = news.trouble;
    if (news.services) {
      data.Take(news.time, *std::move(news.services));
      if (due == absl::InfiniteFuture()) due = news.time + options.interval;
      if (std::exchange(asked, false)) {
        ++shown;
        const std::string snapshot = Snapshot(options, data, context.console.Columns());
        if (absl::Status written = context.console.Out(snapshot); !written.ok()) return written;
        // After a time without the gateway they do not come in a heap.
        due = std::max(due, news.time - options.interval) + options.interval;
        continue;
      }
    }
    if (!asked && absl::Now() >= due) {
      asked = true;
      feed.Poke();
    }
  }
  return 0;
}

}  // namespace rawgate::cli
