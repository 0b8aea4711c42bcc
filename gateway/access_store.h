// The access file in force: read at the start, and again whenever it has changed.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/access_table.h"

namespace rawgate::gateway {

// Thread-safe. A thread of its own looks at the file.
class AccessStore {
 public:
  // The file at `path` is looked at each `interval`. One that is not good then changes nothing and
  // is logged, once. Whoever changes it should put a new file in its place (rename(2)): of one that
  // is being written the first half may make sense. Errors: of ReadAccessFile() and
  // ParseAccessFile().
  static absl::StatusOr<std::unique_ptr<AccessStore>> Open(std::string path,
                                                           absl::Duration interval);
  ~AccessStore();

  std::shared_ptr<const AccessTable> Current() const;
  // Of what is in force: grows with each file that is taken, after Current() says what it does.
  uint64_t edition() const { return edition_; }

  // `hook` is called, by the store's thread, after each such change; null: none is. A call of the
  // last one is waited for.
  void OnChange(std::function<void()> hook);

  // Looks at the file now, in this thread. For tests, whose store has an infinite interval and so
  // does not look by itself.
  void LookAgain();

 private:
  // What tells a changed file without reading it.
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    absl::Time modified;
    absl::Time changed;
    bool operator==(const Stamp&) const = default;
  };
  static std::optional<Stamp> StampOf(const std::string& path);

  AccessStore(std::string path, absl::Duration interval);
  void Watch();
  // What it says is in force from now on, unless it is not good.
  absl::Status Take(const std::string& text);

  const std::string path_;
  const absl::Duration interval_;
  // These are one thread's: whoever opens, then the store's own.
  //
  // Of the file as it was read; nothing when it has to be read again.
  std::optional<Stamp> stamp_;
  // What is in force.
  std::string text_;
  // What is wrong with the file, as it was logged.
  std::string fault_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const AccessTable> table_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<uint64_t> edition_ = 0;
  absl::Mutex hook_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::function<void()> hook_ ABSL_GUARDED_BY(hook_mutex_);
  std::thread thread_;
};

}  // namespace rawgate::gateway
