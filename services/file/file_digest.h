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
};

// Brings `digests` to lower case. Error: INVALID_ARGUMENT (BAD_DIGEST) for one that is not 32 (md5)
// or 64 (sha256) hexadecimal digits, or empty.
absl::Status NormalizeDigests(Digests* digests);

// Digests of a stream of bytes (OpenSSL EVP). Move-only; one thread at a time.
class Digester {
 public:
  explicit Digester(DigestKinds kinds);
  Digester(Digester&&) noexcept = default;

  void Update(absl::string_view bytes);
  // Once. Error: INTERNAL (DIGEST_UNAVAILABLE): this system's OpenSSL forbids the algorithm (MD5 in
  // FIPS mode).
  absl::StatusOr<Digests> Finish();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  using Context = std::unique_ptr<EVP_MD_CTX, Free>;
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

  // The first `size` bytes of the file are written; true if CatchUp() is now worth a call, and
  // nobody was told so yet.
  bool SetWritten(uint64_t size);
  // Hashes what is written, at most kCatchUpMax bytes, on the calling thread.
  void CatchUp();
  // Hashes the rest of what is written. Error: as pread(2) has it; INTERNAL (DIGEST_UNAVAILABLE).
  absl::StatusOr<Digests> Finish();
  // Makes a CatchUp() in progress on another thread end soon.
  void Abandon() { abandoned_ = true; }

 private:
  static constexpr uint64_t kWorthwhile = 1 << 20;
  static constexpr uint64_t kCatchUpMax = 16 << 20;

  void HashUpTo(uint64_t end) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Also owned by the TemporaryFile.
  const std::shared_ptr<const Fd> file_;
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> hashed_{0};
  std::atomic<bool> told_{false};
  std::atomic<bool> abandoned_{false};
  absl::Mutex mutex_;
  Digester digester_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rawgate::file
