#include "runtime/metrics/registry.h"

#include <utility>

namespace rawgate::metrics {

void Registry::Add(Source source) {
  absl::MutexLock lock(&mutex_);
  sources_.push_back(std::move(source));
}

std::string Registry::Render() const {
  Page page;
  {
    absl::MutexLock lock(&mutex_);
    for (const Source& source : sources_) source(page);
  }
  return page.ToText();
}

}  // namespace rawgate::metrics
