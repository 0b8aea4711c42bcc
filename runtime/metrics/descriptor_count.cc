#include "runtime/metrics/descriptor_count.h"

#include <dirent.h>

namespace rawgate::metrics {
namespace {

std::optional<double> CountOpen() {
  DIR* const folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  // ".", ".." and the folder's own.
  double count = -3;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

}  // namespace

std::optional<double> DescriptorCount::At(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  // A clock that was set back makes nothing older than it is.
  if (now < counted_ || now - counted_ >= absl::Seconds(1)) {
    counted_ = now;
    open_ = CountOpen();
  }
  return open_;
}

}  // namespace rawgate::metrics
