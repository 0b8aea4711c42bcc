// What a command wrote to one of its output streams: in memory at first, beyond kMemoryMax in an
// unlinked file, from which the beginning may be let go. One thread; Read() alone may run beside
// the others once in_file().
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {

class Output {
 public:
  static constexpr size_t kMemoryMax = 1 << 20;

  // Bytes written, kept or not.
  uint64_t size() const { return size_; }
  // The first byte that is still there.
  uint64_t kept_from() const { return kept_from_; }
  bool in_file() const { return static_cast<bool>(file_); }
  // The whole output while not in_file(). Any change makes it invalid.
  absl::string_view memory() const { return memory_; }
  // When in_file() it has every byte at its offset.
  int file() const { return file_.get(); }

  // Bytes from `offset` on, which is at least kept_from(), at most `max` and fewer only at the end.
  // May wait for a disk when in_file(). Errors: as of pread(2).
  absl::StatusOr<std::string> Read(uint64_t offset, size_t max) const;

  // ---- For who captures it

  // Only while not in_file().
  void Append(absl::string_view bytes);
  // From now on `file` holds the output, memory()'s bytes first.
  void MoveToFile(Fd file);
  // `bytes` more have been written to the end of the file.
  void GrewInFile(uint64_t bytes) { size_ += bytes; }
  // Who captures takes the bytes before `offset` out of the file.
  void LetGo(uint64_t offset) { kept_from_ = offset; }

 private:
  uint64_t size_ = 0;
  uint64_t kept_from_ = 0;
  std::string memory_;
  Fd file_;
};

// A new file without a name in `folder` that holds `bytes`. Waits for the disk. Errors: as of
// open(2) and write(2).
absl::StatusOr<Fd> MakeSpoolFile(const std::string& folder, absl::string_view bytes);

}  // namespace rawgate::exec
