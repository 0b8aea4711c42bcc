#include "services/file/file_digest.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

// Small enough to stay in the second-level cache between the copy and the hash.
constexpr size_t kReadBackSize = 128 * 1024;
constexpr size_t kMd5Digits = 32;
constexpr size_t kSha256Digits = 64;

absl::Status Normalize(absl::string_view field, size_t digits, std::string* hex) {
  if (hex->empty()) return absl::OkStatus();
  if (hex->size() != digits || !std::all_of(hex->begin(), hex->end(), [](unsigned char c) {
        return absl::ascii_isxdigit(c);
      })) {
    return FieldError(field, "BAD_DIGEST",
                      absl::StrCat(field, " is not ", digits, " hexadecimal digits"));
  }
  absl::AsciiStrToLower(hex);
  return absl::OkStatus();
}

absl::Status DigestMismatch(absl::string_view kind, const std::string& expected,
                            const std::string& actual) {
  return Error(absl::StatusCode::kDataLoss, "DIGEST_MISMATCH",
               absl::StrCat("the ", kind, " of what arrived is ", actual, ", not ", expected));
}

}  // namespace

absl::Status NormalizeDigests(Digests* digests) {
  if (absl::Status status = Normalize("md5", kMd5Digits, &digests->md5); !status.ok())
    return status;
  return Normalize("sha256", kSha256Digits, &digests->sha256);
}

absl::Status CompareDigests(const Digests& expected, const Digests& actual) {
  if (!expected.sha256.empty() && expected.sha256 != actual.sha256) {
    return DigestMismatch("sha256", expected.sha256, actual.sha256);
  }
  if (!expected.md5.empty() && expected.md5 != actual.md5) {
    return DigestMismatch("md5", expected.md5, actual.md5);
  }
  return absl::OkStatus();
}

void Digester::Free::operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }

Digester::Digester(DigestKinds kinds) {
  if (kinds.md5) {
    md5_.reset(EVP_MD_CTX_new());
    ok_ = ok_ && EVP_DigestInit_ex(md5_.get(), EVP_md5(), nullptr) == 1;
  }
  if (kinds.sha256) {
    sha256_.reset(EVP_MD_CTX_new());
    ok_ = ok_ && EVP_DigestInit_ex(sha256_.get(), EVP_sha256(), nullptr) == 1;
  }
}

void Digester::Update(absl::string_view bytes) {
  if (!ok_) return;
  for (EVP_MD_CTX* context : {md5_.get(), sha256_.get()}) {
    if (context != nullptr) ok_ = ok_ && EVP_DigestUpdate(context, bytes.data(), bytes.size()) == 1;
  }
}

absl::StatusOr<Digests> Digester::Finish() {
  const auto hex = [this](EVP_MD_CTX* context) -> std::string {
    if (context == nullptr || !ok_) return "";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    ok_ = EVP_DigestFinal_ex(context, digest.data(), &size) == 1;
    return absl::BytesToHexString(
        absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
  };
  Digests digests{.md5 = hex(md5_.get()), .sha256 = hex(sha256_.get())};
  if (!ok_) {
    return Error(absl::StatusCode::kInternal, "DIGEST_UNAVAILABLE",
                 "this system's OpenSSL does not offer the digest");
  }
  return digests;
}

Digester::Context Digester::Copy(const Context& context) {
  if (context == nullptr) return nullptr;
  Context copy(EVP_MD_CTX_new());
  if (copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), context.get()) != 1) copy.reset();
  return copy;
}

absl::StatusOr<Digests> Digester::SoFar() const {
  Digester copy(DigestKinds{});
  copy.md5_ = Copy(md5_);
  copy.sha256_ = Copy(sha256_);
  copy.ok_ = ok_ && (copy.md5_ != nullptr) == (md5_ != nullptr) &&
             (copy.sha256_ != nullptr) == (sha256_ != nullptr);
  return copy.Finish();
}

FileDigest::FileDigest(std::shared_ptr<const Fd> file, DigestKinds kinds)
    : file_(std::move(file)), kinds_(kinds), digester_(kinds) {}

bool FileDigest::SetWritten(uint64_t size) {
  written_ = size;
  return size - hashed_ >= kWorthwhile && !told_.exchange(true);
}

void FileDigest::CatchUp() {
  const absl::MutexLock lock(&mutex_);
  HashUpTo(std::min<uint64_t>(written_, hashed_ + kCatchUpMax));
  told_ = false;
}

absl::StatusOr<Digests> FileDigest::Finish() {
  const absl::MutexLock lock(&mutex_);
  HashUpTo(written_);
  if (!failure_.ok()) return failure_;
  return digester_.Finish();
}

absl::StatusOr<FileDigest::Prefix> FileDigest::OfPrefix() {
  const absl::MutexLock lock(&mutex_);
  HashUpTo(written_);
  if (!failure_.ok()) return failure_;
  absl::StatusOr<Digests> digests = digester_.SoFar();
  if (!digests.ok()) return digests.status();
  return Prefix{hashed_, *std::move(digests)};
}

void FileDigest::HashUpTo(uint64_t end) {
  if (hashed_ >= end || !failure_.ok()) return;
  const auto size = static_cast<size_t>(std::min<uint64_t>(kReadBackSize, end - hashed_));
  const auto buffer = std::make_unique_for_overwrite<char[]>(size);
  while (hashed_ < end && !abandoned_) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(size, end - hashed_));
    const ssize_t n =
        ::pread(file_->get(), buffer.get(), wanted, static_cast<off_t>(hashed_.load()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      failure_ = ErrnoError(n < 0 ? errno : EIO, "reading back what was stored");
      return;
    }
    digester_.Update(absl::string_view(buffer.get(), static_cast<size_t>(n)));
    hashed_ += static_cast<uint64_t>(n);
  }
}

}  // namespace rawgate::file
