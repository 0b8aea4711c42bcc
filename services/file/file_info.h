// What the store tells about an entry.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "services/file/file_digest.h"

namespace rawgate::file {

// What the store serves; anything else found below its root (links, devices, sockets) it treats as
// absent.
enum class EntryType { kFile, kFolder };

struct FileInfo {
  // From the root, '/' between components; bytes, not necessarily UTF-8.
  std::string filename = {};
  EntryType type = EntryType::kFile;
  // Bytes; 0 for a folder.
  uint64_t size = 0;
  absl::Time modify_time = {};
  // Those that are known without reading the file.
  Digests digests = {};
};

inline bool IsServed(const struct stat& status) {
  return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

// Whether nothing was written to the one file between two looks at it.
inline bool IsSameContent(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// `status` is one that IsServed().
inline FileInfo ToFileInfo(std::string filename, const struct stat& status) {
  const bool folder = S_ISDIR(status.st_mode);
  return {.filename = std::move(filename),
          .type = folder ? EntryType::kFolder : EntryType::kFile,
          .size = folder ? 0 : static_cast<uint64_t>(status.st_size),
          .modify_time = absl::TimeFromTimespec(status.st_mtim)};
}

}  // namespace rawgate::file
