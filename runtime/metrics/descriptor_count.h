// How many descriptors this process has open.
#pragma once

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace rawgate::metrics {

// Counting reads a folder with an entry for each, which takes tens of milliseconds for 100,000: it
// is done at most once a second, however often somebody asks. Thread-safe.
class DescriptorCount {
 public:
  // As of at most a second before `now`; nothing where /proc cannot be read.
  std::optional<double> At(absl::Time now);

 private:
  absl::Mutex mutex_;
  absl::Time counted_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::optional<double> open_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::metrics
