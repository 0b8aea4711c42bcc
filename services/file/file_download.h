// One file on its way out of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "services/file/file_info.h"
#include "services/file/file_name.h"
#include "services/file/file_store.h"

namespace rawgate::file {

// A range of one version of a file: the bytes are those that it had when it was opened, whatever is
// uploaded under, or happens to, its name meanwhile. Move-only; one thread at a time.
class FileDownload {
 public:
  // See FileCore::OpenDownload().
  static absl::StatusOr<FileDownload> Open(FileStore& store, const FileName& name, uint64_t offset,
                                           std::optional<uint64_t> length);

  const FileName& name() const { return name_; }
  // The whole file.
  const FileInfo& info() const { return info_; }
  // Of the range; the length is never more than there is.
  uint64_t offset() const { return offset_; }
  uint64_t length() const { return length_; }
  // Bytes of the range that were not read yet.
  uint64_t remaining() const { return offset_ + length_ - position_; }

  // Reads the next bytes of the range: as many as fit, 0 only at its end. Blocks. Errors: DATA_LOSS
  // (FILE_SHRUNK) when somebody cut the file; other causes as errno has them.
  absl::StatusOr<size_t> Read(std::span<char> buffer);

  // For sendfile(2): at most remaining() bytes from position(), which are then reported.
  int descriptor() const { return file_.get(); }
  uint64_t position() const { return position_; }
  void CountRead(uint64_t bytes) { position_ += bytes; }
  absl::Status Shrunk() const;

  // Gives the descriptor up; nothing can be read any more.
  void Close() { file_.Reset(); }

 private:
  FileDownload(Fd file, FileName name, FileInfo info, uint64_t offset, uint64_t length)
      : file_(std::move(file)),
        name_(std::move(name)),
        info_(std::move(info)),
        offset_(offset),
        length_(length),
        position_(offset) {}

  Fd file_;
  FileName name_;
  FileInfo info_;
  uint64_t offset_;
  uint64_t length_;
  uint64_t position_;
};

}  // namespace rawgate::file
