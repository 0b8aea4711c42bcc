#include "services/file/file_digest_memory.h"

#include "absl/time/time.h"

namespace rawgate::file {
namespace {

constexpr absl::Duration kClockStep = absl::Milliseconds(20);

}  // namespace

DigestMemory::Key DigestMemory::KeyOf(const struct stat& status) {
  return {status.st_dev,         status.st_ino,          status.st_size,
          status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
          status.st_ctim.tv_nsec};
}

Digests DigestMemory::Find(const struct stat& status) {
  const Key key = KeyOf(status);
  const absl::MutexLock lock(&mutex_);
  return known_.Find(key) == nullptr ? Digests() : known_.Touch(key);
}

void DigestMemory::Remember(const struct stat& status, const Digests& digests) {
  if (digests.empty()) return;
  const absl::MutexLock lock(&mutex_);
  Digests& known = known_.Touch(KeyOf(status));
  if (!digests.md5.empty()) known.md5 = digests.md5;
  if (!digests.sha256.empty()) known.sha256 = digests.sha256;
}

bool DigestMemory::IsSettled(const struct stat& status, absl::Time now) {
  return now - absl::TimeFromTimespec(status.st_ctim) > kClockStep;
}

}  // namespace rawgate::file
