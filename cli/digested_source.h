// A file that is read and whose SHA-256 is known at any place.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "cli/prefix_digest.h"
#include "cli/source_file.h"

namespace rawgate::cli {

// One thread at a time.
class DigestedSource {
 public:
  // `stop` outlives it.
  DigestedSource(SourceFile file, const absl::Notification& stop);

  const SourceFile& file() const { return file_; }

  // The SHA-256 of the first `size` bytes; the next Read() is of what follows them. Errors: those
  // of SourceFile; ABORTED (FILE_CHANGED) when there are fewer, CANCELLED when `stop` is notified.
  absl::StatusOr<std::string> DigestUntil(uint64_t size);

  // As SourceFile::Read().
  absl::Status Read(std::string& buffer, size_t most);

  // Of the next byte to read.
  uint64_t position() const { return digest_.size(); }
  // Of all bytes before it.
  std::string Digest() const { return digest_.Digest(); }

 private:
  SourceFile file_;
  const absl::Notification& stop_;
  PrefixDigest digest_;
};

}  // namespace rawgate::cli
