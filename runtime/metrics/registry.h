// A process's metrics, read when Prometheus asks: whoever counts goes on counting as it likes, and
// is only looked at.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "runtime/metrics/page.h"

namespace rawgate::metrics {

// What Render() returns, as a Content-Type.
inline constexpr char kContentType[] = "text/plain; version=0.0.4; charset=utf-8";

// Thread-safe.
class Registry {
 public:
  // Called for every page, from whatever thread asks for it, one at a time; must not wait for
  // others. What it reads outlives the last page.
  using Source = std::function<void(Page& page)>;
  void Add(Source source);

  std::string Render() const;

 private:
  mutable absl::Mutex mutex_;
  std::vector<Source> sources_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::metrics
