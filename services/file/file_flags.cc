#include "services/file/file_flags.h"

#include <cstdint>
#include <string>

#include "absl/flags/flag.h"
#include "absl/time/time.h"

ABSL_FLAG(std::string, root, ".rawgate/files",
          "Folder that the files are kept in; made, for its owner only, when missing.");
ABSL_FLAG(uint64_t, file_max_bytes, rawgate::file::kFileBytesMax, "Largest file accepted.");
ABSL_FLAG(uint64_t, quota_bytes, 0,
          "Bytes of all files and of what uploads in progress have announced; 0: no limit but the "
          "disk's.");
ABSL_FLAG(uint64_t, uploads_max, 1024,
          "Uploads without an id at once, and as many unfinished ones with an id.");
ABSL_FLAG(absl::Duration, upload_expiry, absl::Hours(24),
          "How long an unfinished upload is kept after its last byte.");

namespace rawgate::file {

FileCore::Options OptionsFromFlags() {
  return {.root = absl::GetFlag(FLAGS_root),
          .file_max_bytes = absl::GetFlag(FLAGS_file_max_bytes),
          .uploads_max = absl::GetFlag(FLAGS_uploads_max),
          .quota_bytes = absl::GetFlag(FLAGS_quota_bytes),
          .upload_expiry = absl::GetFlag(FLAGS_upload_expiry)};
}

}  // namespace rawgate::file
