// What is noted down about an unfinished upload, so that it outlives the process.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/file/file_upload_spec.h"

namespace rawgate::file {

struct UploadRecord {
  UploadSpec spec = {};
  // Bytes that are on disk for certain.
  uint64_t synced = 0;
  // Of the file that they are in.
  uint64_t inode = 0;
  // Of the machine's run in which it was written: as long as that lasts, what was received is in
  // the kernel's hands, on disk or not.
  std::string boot_id = {};
};

// As JSON, of at most kRecordBytesMax bytes.
inline constexpr size_t kRecordBytesMax = 16'384;
std::string EncodeRecord(const UploadRecord& record);
// Error: that of the first member that is not as EncodeRecord() writes it.
absl::StatusOr<UploadRecord> DecodeRecord(absl::string_view text);

// This run of the machine (/proc/sys/kernel/random/boot_id); empty where that cannot be read.
std::string BootId();

}  // namespace rawgate::file
