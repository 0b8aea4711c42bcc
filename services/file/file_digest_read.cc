#include "services/file/file_digest_read.h"

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

absl::StatusOr<DigestRead> DigestRead::Begin(FileStore& store, uint64_t bytes) {
  if (bytes <= kFree) return DigestRead(nullptr);
  if (store.digest_reads.fetch_add(1) < kAtOnceMax) return DigestRead(&store);
  store.digest_reads.fetch_sub(1);
  return WithRetryAfter(
      Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_DIGESTS",
            absl::StrCat(kAtOnceMax, " large files are being read for their digests already")),
      kRetryDelay);
}

}  // namespace rawgate::file
