// What a client announces before it sends a file.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/file/file_digest.h"
#include "services/file/file_name.h"

namespace rawgate::file {

// Characters of an upload's id.
inline constexpr size_t kUploadIdMax = 64;

struct UploadSpec {
  FileName name = {};
  // Exactly so many bytes will come; without `size_known` at most so many, and at most what the
  // store takes.
  uint64_t size = 0;
  bool size_known = true;
  // Compared with what came; normalized (see NormalizeDigests).
  Digests expected = {};
  // Computed and told even when not expected.
  DigestKinds wanted = {};
  // Fail rather than replace.
  bool if_absent = false;
  // Makes the upload resumable; see CheckUploadId(). Empty: it is not.
  std::string upload_id = {};
  // Of the first byte that this attempt brings.
  uint64_t offset = 0;

  bool resumable() const { return !upload_id.empty(); }
};

// One that nobody can guess.
std::string NewUploadId();

// INVALID_ARGUMENT (BAD_UPLOAD_ID) unless `id` is 1 to kUploadIdMax of A-Z a-z 0-9 - _, and so fit
// to name a file.
absl::Status CheckUploadId(absl::string_view id);

}  // namespace rawgate::file
