// For tests of the store: a folder that goes away, system calls that fail when told to, and what
// can be seen in between.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/status.h"
#include "services/file/file_core.h"

namespace rawgate::file {

// A fresh folder, removed with all that is in it.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rawgate-file-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string ReadWhole(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return "(no such file)";
  std::ostringstream content;
  content << stream.rdbuf();
  return content.str();
}

inline void WriteWhole(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

// Relative names of everything below `root`, hidden or not.
inline std::set<std::string> AllEntries(const std::filesystem::path& root) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    names.insert(std::filesystem::relative(entry.path(), root).string());
  }
  return names;
}

// Files below `root` without a name that this process holds open.
inline int HeldWithoutName(const std::filesystem::path& root) {
  int held = 0;
  for (const auto& descriptor : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed;
    const std::string path = std::filesystem::read_symlink(descriptor, closed).string();
    held += absl::StartsWith(path, root.string()) && absl::EndsWith(path, " (deleted)");
  }
  return held;
}

// The kernel's calls, until told otherwise. Thread-safe, but for its settings.
class FaultySyscalls final : public Syscalls {
 public:
  // The `number`-th call from now on (0 is the next) fails with `error`; with `dead`, so does every
  // one after it, as for a process that was killed.
  void FailCall(int number, int error, bool dead = false) {
    calls_ = 0;
    fail_at_ = number;
    error_ = error;
    dead_ = dead;
    hit_.clear();
  }
  void Heal() { fail_at_ = -1; }
  // Name of the call that failed; empty: none.
  std::string hit() const { return hit_; }
  // Calls of one name always fail; 0: not any longer.
  void FailAlways(const std::string& call, int error) { always_[call] = error; }
  // Done whenever a folder is brought to disk, before it is.
  void AtFsync(std::function<void()> look) { at_fsync_ = std::move(look); }
  int count(const std::string& call) {
    const absl::MutexLock lock(&mutex_);
    return counts_[call];
  }
  // Up to where the last file that was reserved for has its space.
  uint64_t reserved() const { return reserved_; }
  void set_free_bytes(uint64_t bytes) { free_bytes_ = bytes; }

  int OpenAt(int folder, const char* path, int flags, mode_t mode) override {
    if ((flags & O_TMPFILE) == O_TMPFILE && Fails("open(O_TMPFILE)")) return -1;
    return Fails("openat") ? -1 : Syscalls::OpenAt(folder, path, flags, mode);
  }
  int OpenAt2(int folder, const char* path, int flags, uint64_t resolve) override {
    return Fails("openat2") ? -1 : Syscalls::OpenAt2(folder, path, flags, resolve);
  }
  int MkdirAt(int folder, const char* path, mode_t mode) override {
    return Fails("mkdirat") ? -1 : Syscalls::MkdirAt(folder, path, mode);
  }
  int LinkAt(int from_folder, const char* from, int to_folder, const char* to, int flags) override {
    if (Fails("linkat")) return -1;
    return Syscalls::LinkAt(from_folder, from, to_folder, to, flags);
  }
  int RenameAt2(int from_folder, const char* from, int to_folder, const char* to,
                unsigned flags) override {
    if (flags != 0 && Fails("renameat2(flags)")) return -1;
    if (Fails("renameat2")) return -1;
    return Syscalls::RenameAt2(from_folder, from, to_folder, to, flags);
  }
  int UnlinkAt(int folder, const char* path, int flags) override {
    return Fails("unlinkat") ? -1 : Syscalls::UnlinkAt(folder, path, flags);
  }
  int FstatAt(int folder, const char* path, struct stat* result, int flags) override {
    return Fails("fstatat") ? -1 : Syscalls::FstatAt(folder, path, result, flags);
  }
  int FstatVfs(int fd, struct statvfs* result) override {
    if (Fails("fstatvfs")) return -1;
    const int status = Syscalls::FstatVfs(fd, result);
    if (free_bytes_ != UINT64_MAX) {
      result->f_frsize = 1;
      result->f_bavail = free_bytes_;
    }
    return status;
  }
  int Fallocate(int fd, int mode, off_t offset, off_t length) override {
    if (Fails("fallocate")) return -1;
    const int status = Syscalls::Fallocate(fd, mode, offset, length);
    if (status == 0) reserved_ = static_cast<uint64_t>(offset + length);
    return status;
  }
  int Ftruncate(int fd, off_t size) override {
    return Fails("ftruncate") ? -1 : Syscalls::Ftruncate(fd, size);
  }
  ssize_t Pwrite(int fd, const void* bytes, size_t size, off_t offset) override {
    return Fails("pwrite") ? -1 : Syscalls::Pwrite(fd, bytes, std::min(size, write_max_), offset);
  }
  ssize_t SpliceFromPipe(int pipe, int file, off_t offset, size_t size) override {
    return Fails("splice")
               ? -1
               : Syscalls::SpliceFromPipe(pipe, file, offset, std::min(size, write_max_));
  }
  // No power is cut in a test: what matters is when these are called, and the disk need not turn.
  int Fdatasync(int) override { return Fails("fdatasync") ? -1 : 0; }
  int Fsync(int) override {
    if (at_fsync_) at_fsync_();
    return Fails("fsync") ? -1 : 0;
  }

  // Short writes.
  void set_write_max(size_t bytes) { write_max_ = bytes; }

 private:
  bool Fails(const std::string& call) {
    const absl::MutexLock lock(&mutex_);
    ++counts_[call];
    int error = 0;
    if (const auto always = always_.find(call); always != always_.end()) error = always->second;
    const int number = calls_++;
    if (fail_at_ >= 0 && (number == fail_at_ || (dead_ && number > fail_at_))) {
      if (number == fail_at_) hit_ = call;
      error = error_;
    }
    errno = error;
    return error != 0;
  }

  absl::Mutex mutex_;
  int calls_ = 0;
  int fail_at_ = -1;
  int error_ = 0;
  bool dead_ = false;
  std::string hit_;
  std::function<void()> at_fsync_;
  std::map<std::string, int> always_;
  std::map<std::string, int> counts_;
  std::atomic<uint64_t> reserved_{0};
  uint64_t free_bytes_ = UINT64_MAX;
  size_t write_max_ = SIZE_MAX;
};

inline FileName Name(absl::string_view text) { return FileName::ParseFolder(text).value(); }

inline std::unique_ptr<FileCore> OpenStore(const std::filesystem::path& root,
                                           Syscalls& syscalls = Syscalls::Kernel(),
                                           FileCore::Options options = {}) {
  options.root = root.string();
  auto core = FileCore::Open(std::move(options), syscalls);
  if (!core.ok()) {
    ADD_FAILURE() << core.status();
    std::abort();
  }
  return *std::move(core);
}

// A whole upload in two pieces.
inline absl::StatusOr<FileInfo> Put(FileCore& core, absl::string_view name,
                                    absl::string_view content, UploadSpec spec = {}) {
  spec.name = Name(name);
  spec.size = content.size();
  auto upload = core.BeginUpload(std::move(spec));
  if (!upload.ok()) return upload.status();
  for (absl::string_view part :
       {content.substr(0, content.size() / 2), content.substr(content.size() / 2)}) {
    if (absl::Status status = (*upload)->Append(part); !status.ok()) return status;
  }
  return (*upload)->Commit();
}

inline std::string Get(FileCore& core, absl::string_view name) {
  auto download = core.OpenDownload(Name(name));
  if (!download.ok()) return std::string(download.status().ToString());
  std::string content(download->length(), '\0');
  auto size = download->Read(std::span<char>(content.data(), content.size()));
  return size.ok() ? content : size.status().ToString();
}

class StoreTest : public ::testing::Test {
 protected:
  TestFolder folder_;
  FaultySyscalls syscalls_;
  std::unique_ptr<FileCore> core_ = OpenStore(folder_.path(), syscalls_);
};

#define EXPECT_REASON(status, code_, reason)                       \
  do {                                                             \
    const absl::Status checked = (status);                         \
    EXPECT_EQ(checked.code(), absl::StatusCode::code_) << checked; \
    EXPECT_EQ(ReasonOf(checked), reason) << checked;               \
  } while (false)

}  // namespace rawgate::file
