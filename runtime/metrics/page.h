// What one scrape by Prometheus is told: samples by metric family, gathered from whoever counts.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "runtime/observe/histogram.h"

namespace rawgate::metrics {

// Names of labels are literals; values are names of ours (services, listeners, methods, reasons),
// never what a client sent, so that no client makes series.
using Labels = std::initializer_list<std::pair<absl::string_view, absl::string_view>>;

// Names and units follow https://prometheus.io/docs/practices/naming/: base units, and _total for
// what only grows. Samples of one name may come from several sources: they make one family, whose
// help is that of the first. One thread.
class Page {
 public:
  Page();
  ~Page();
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  void AddCounter(absl::string_view name, absl::string_view help, Labels labels, double value);
  void AddGauge(absl::string_view name, absl::string_view help, Labels labels, double value);
  // In seconds.
  void AddHistogram(absl::string_view name, absl::string_view help, Labels labels,
                    const observe::LatencyHistogram::Snapshot& value);

  // In the text format, version 0.0.4.
  std::string ToText() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace rawgate::metrics
