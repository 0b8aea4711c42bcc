#include "runtime/metrics/page.h"

#include <limits>
#include <sstream>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "prometheus/metric_family.h"
#include "prometheus/text_serializer.h"

namespace rawgate::metrics {
namespace {

prometheus::ClientMetric MakeMetric(Labels labels) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : labels) {
    metric.label.push_back({std::string(name), std::string(value)});
  }
  return metric;
}

double ToSeconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

}  // namespace

struct Page::Families {
  prometheus::MetricFamily& Of(absl::string_view name, absl::string_view help,
                               prometheus::MetricType type) {
    const auto [at, added] = index.try_emplace(name, all.size());
    if (added) all.push_back({std::string(name), std::string(help), type, {}});
    return all[at->second];
  }

  std::vector<prometheus::MetricFamily> all;
  absl::flat_hash_map<std::string, size_t> index;
};

Page::Page() : families_(std::make_unique<Families>()) {}
Page::~Page() = default;

void Page::AddCounter(absl::string_view name, absl::string_view help, Labels labels, double value) {
  prometheus::ClientMetric metric = MakeMetric(labels);
  metric.counter.value = value;
  families_->Of(name, help, prometheus::MetricType::Counter).metric.push_back(std::move(metric));
}

void Page::AddGauge(absl::string_view name, absl::string_view help, Labels labels, double value) {
  prometheus::ClientMetric metric = MakeMetric(labels);
  metric.gauge.value = value;
  families_->Of(name, help, prometheus::MetricType::Gauge).metric.push_back(std::move(metric));
}

void Page::AddHistogram(absl::string_view name, absl::string_view help, Labels labels,
                        const observe::LatencyHistogram::Snapshot& value) {
  prometheus::ClientMetric metric = MakeMetric(labels);
  // The total is that of the buckets, so that they agree whatever was counted meanwhile.
  uint64_t total = 0;
  for (size_t i = 0; i < value.counts.size(); ++i) {
    total += value.counts[i];
    const double bound = i < observe::LatencyHistogram::kBoundsNanoseconds.size()
                             ? ToSeconds(observe::LatencyHistogram::kBoundsNanoseconds[i])
                             : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({total, bound});
  }
  metric.histogram.sample_count = total;
  metric.histogram.sample_sum = ToSeconds(static_cast<int64_t>(value.sum_nanoseconds));
  families_->Of(name, help, prometheus::MetricType::Histogram).metric.push_back(std::move(metric));
}

std::string Page::ToText() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families_->all);
  return std::move(text).str();
}

}  // namespace rawgate::metrics
