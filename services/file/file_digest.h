// Digests of files, computed beside their receiving.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "runtime/base/fd.h"

using EVP_MD_CTX = struct evp_md_ctx_st;

namespace rawgate::file {

// Lower-case hexadecimal; empty where not wanted, not given or not known.
struct Digests {
  std::string md5 = {};
  std::string sha256 = {};

  bool empty() const { return md5.empty() && sha256.empty(); }
};

struct DigestKinds {
  bool md5 = false;
  bool sha256 = false;

  bool any() const { return md5 || sha256; }
  bool Include(DigestKinds other) const { return (md5 || !other.md5) && (sha256 || !other.sha256); }
};

inline DigestKinds operator|(DigestKinds a, DigestKinds b) {
  return {.md5 = a.md5 || b.md5, .sha256 = a.sha256 || b.sha256};
}
inline DigestKinds KindsOf(const Digests& digests) {
  return {.md5 = !digests.md5.empty(), .sha256 = !digests.sha256.empty()};
}

// Brings `digests` to lower case. Error: INVALID_ARGUMENT (BAD_DIGEST) for one that is not 32 (md5)
// or 64 (sha256) hexadecimal digits, or empty.
absl::Status NormalizeDigests(Digests* digests);

// DATA_LOSS (DIGEST_MISMATCH) when one that is expected is not the actual one, or that is not
// known.
absl::Status CompareDigests(const Digests& expected, const Digests& actual);

// Digests of a stream of bytes (OpenSSL EVP). Move-only; one thread at a time.
class Digester {
 public:
  explicit Digester(DigestKinds kinds);
  Digester(Digester&&) noexcept = default;

  void Update(absl::string_view bytes);
  // Once. Error: INTERNAL (DIGEST_UNAVAILABLE): this system's OpenSSL forbids the algorithm (MD5 in
  // FIPS mode).
  absl::StatusOr<Digests> Finish();
  // Of what there was so far; more may follow. Error: as Finish().
  absl::StatusOr<Digests> SoFar() const;

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
  static Context Copy(const Context& context);

  bool ok_ = true;
  Context md5_;
  Context sha256_;
};

// The digest of a file that is still being written: reads back, from the page cache, what is there.
// So the thread that receives never hashes, no buffer changes hands, and what is digested is what
// is stored. Thread-safe.
class FileDigest {
 public:
  FileDigest(std::shared_ptr<const Fd> file, DigestKinds kinds);

  DigestKinds kinds() const { return kinds_; }

  // The first `size` bytes of the file are written; true if CatchUp() is now worth a call, and
  // nobody was told so yet.
  bool SetWritten(uint64_t size);
  // Hashes what is written, at most kCatchUpMax bytes, on the calling thread.
  void CatchUp();
  // Hashes the rest of what is written. Error: as pread(2) has it; INTERNAL (DIGEST_UNAVAILABLE).
  absl::StatusOr<Digests> Finish();
  // The file could not be read: nothing comes of this one any more.
  bool failed() const {
    const absl::MutexLock lock(&mutex_);
    return !failure_.ok();
  }
  // Bytes that are written and not hashed.
  uint64_t behind() const { return written_ - hashed_; }
  struct Prefix {
    uint64_t size;
    Digests digests;
  };
  // Of all that was written when this began. More may be written meanwhile. Errors: as Finish().
  absl::StatusOr<Prefix> OfPrefix();
  // Makes a CatchUp() in progress on another thread end soon.
  void Abandon() { abandoned_ = true; }

 private:
  static constexpr uint64_t kWorthwhile = 1 << 20;
  static constexpr uint64_t kCatchUpMax = 16 << 20;

  void HashUpTo(uint64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Also owned by the TemporaryFile.
  const std::shared_ptr<const Fd> file_;
  const DigestKinds kinds_;
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> hashed_{0};
  std::atomic<bool> told_{false};
  std::atomic<bool> abandoned_{false};
  mutable absl::Mutex mutex_;
  Digester digester_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::file
