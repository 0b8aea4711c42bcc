// What the parts of one store share: its root, its limits, its locks. Internal to the core; see
// file_core.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "services/file/file_digest_memory.h"
#include "services/file/file_folders.h"
#include "services/file/file_publish.h"
#include "services/file/file_root.h"
#include "services/file/file_syscalls.h"
#include "services/file/file_temporary.h"
#include "services/file/file_usage.h"

namespace rawgate::file {

class UnfinishedUploads;

// Thread-safe.
struct FileStore {
  FileStore(FileRoot opened, uint64_t quota, Syscalls& calls);
  ~FileStore();

  Syscalls& syscalls;
  const FileRoot root;
  FileFolders folders;
  NameLocks names;
  DigestMemory digests;
  FileUsage usage;
  LinkMethod link_method = LinkMethod::kNone;
  // Its file system may be one of several machines, which share no page cache.
  bool shared_by_machines = false;
  uint64_t file_max_bytes = 0;
  size_t uploads_max = 0;
  // Resumable ones are counted, as many again, by their table.
  std::atomic<size_t> plain_uploads{0};
  // See DigestRead.
  std::atomic<int> digest_reads{0};
  // Runs a piece of work on some other thread, or is empty: then digests are computed at the end.
  std::function<void(std::function<void()>)> background;
  std::unique_ptr<UnfinishedUploads> unfinished;
};

}  // namespace rawgate::file
