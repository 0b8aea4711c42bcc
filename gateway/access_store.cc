#include "gateway/access_store.h"

#include <utility>

#include "absl/time/clock.h"
#include "gateway/access_file.h"
#include "runtime/base/log.h"

namespace rawgate::gateway {
namespace {

// A file system tells the time of a change by a clock that stands still for some milliseconds, on
// some for two seconds: two changes that follow each other so closely look like one.
constexpr absl::Duration kFileClockTick = absl::Seconds(2);

}  // namespace

std::optional<AccessStore::Stamp> AccessStore::StampOf(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) < 0) return std::nullopt;
  return Stamp{.device = status.st_dev,
               .inode = status.st_ino,
               .size = status.st_size,
               .modified = absl::TimeFromTimespec(status.st_mtim),
               .changed = absl::TimeFromTimespec(status.st_ctim)};
}

AccessStore::AccessStore(std::string path, absl::Duration interval)
    : path_(std::move(path)), interval_(interval) {}

absl::StatusOr<std::unique_ptr<AccessStore>> AccessStore::Open(std::string path,
                                                               absl::Duration interval) {
  std::unique_ptr<AccessStore> store(new AccessStore(std::move(path), interval));
  const absl::StatusOr<std::string> text = ReadAccessFile(store->path_);
  if (!text.ok()) return text.status();
  if (absl::Status taken = store->Take(*text); !taken.ok()) return taken;
  store->thread_ = std::thread([store = store.get()] { store->Watch(); });
  return store;
}

AccessStore::~AccessStore() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const AccessTable> AccessStore::Current() const {
  absl::MutexLock lock(&mutex_);
  return table_;
}

void AccessStore::OnChange(std::function<void()> hook) {
  absl::MutexLock lock(&hook_mutex_);
  hook_ = std::move(hook);
}

void AccessStore::Watch() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      if (mutex_.AwaitWithTimeout(absl::Condition(&stopped_), interval_)) return;
    }
    LookAgain();
  }
}

void AccessStore::LookAgain() {
  const std::optional<Stamp> stamp = StampOf(path_);
  if (stamp.has_value() && stamp == stamp_) return;
  const absl::StatusOr<std::string> text = ReadAccessFile(path_);
  // Somebody is writing it right now: the next look will see all of it.
  if (StampOf(path_) != stamp) return;
  stamp_ = stamp;
  if (stamp.has_value() && absl::Now() - stamp->changed < kFileClockTick) stamp_.reset();

  const absl::Status taken = text.ok() ? Take(*text) : text.status();
  const std::string fault(taken.message());
  if (fault == fault_) return;
  fault_ = fault;
  if (taken.ok()) {
    spdlog::info("access file: {} is good again", path_);
  } else {
    spdlog::error("access file: the users in force stay, since the file is not good:\n{}", fault);
  }
}

absl::Status AccessStore::Take(const std::string& text) {
  if (text == text_) return absl::OkStatus();
  absl::StatusOr<std::shared_ptr<const AccessTable>> table = ParseAccessFile(text, path_);
  if (!table.ok()) return table.status();
  text_ = text;
  spdlog::info("access file: {} counts from now on; users: {}", path_, (*table)->size());
  {
    absl::MutexLock lock(&mutex_);
    table_ = *std::move(table);
  }
  ++edition_;
  absl::MutexLock lock(&hook_mutex_);
  if (hook_) hook_();
  return absl::OkStatus();
}

}  // namespace rawgate::gateway
