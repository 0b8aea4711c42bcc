#include "cli/top_rates.h"

namespace rawgate::cli {

void TopRateBook::Sample(const std::string& key, absl::Time now, const TopTotals& totals) {
  Entry& entry = entries_[key];
  entry.last = now;
  entry.requests.Sample(now, totals.requests);
  entry.errors.Sample(now, totals.errors);
  entry.received.Sample(now, totals.received);
  entry.sent.Sample(now, totals.sent);
}

void TopRateBook::EndSample(absl::Time now) {
  std::erase_if(entries_, [now](const auto& entry) { return entry.second.last != now; });
}

TopRates TopRateBook::Of(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end() || !found->second.requests.known()) return {};
  const Entry& entry = found->second;
  return {true, entry.requests.PerSecond(), entry.errors.PerSecond(), entry.received.PerSecond(),
          entry.sent.PerSecond()};
}

}  // namespace rawgate::cli
