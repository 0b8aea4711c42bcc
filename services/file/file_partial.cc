#include "services/file/file_partial.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

// Files below this are written without a reservation: it would cost more than it tells.
constexpr uint64_t kReserveFrom = 1 << 20;
// Set aside ahead of what has come: as much again, within these. An announcement alone, true or
// not, takes no space from others.
constexpr uint64_t kReserveAheadMin = 1 << 20;
constexpr uint64_t kReserveAheadMax = 64 << 20;
// Dirty bytes of one upload after which the disk is put to work, so that the final fdatasync finds
// little left to do.
constexpr uint64_t kWriteBackStep = 8 << 20;
// On the stack, where splicing does not work.
constexpr size_t kCopySize = 64 * 1024;

}  // namespace

PartialFile::PartialFile(FileStore& store, const UploadSpec& spec, TemporaryFile file,
                         uint64_t received)
    : store_(store),
      spec_(spec),
      file_(std::move(file)),
      claim_(store.usage.NewClaim()),
      received_(received),
      reserved_(received),
      written_back_(received) {
  const DigestKinds kinds = spec.wanted | KindsOf(spec.expected);
  if (kinds.any()) DigestOf(kinds);
}

PartialFile::~PartialFile() {
  if (digest_ != nullptr) digest_->Abandon();
}

absl::Status PartialFile::Claim() {
  return claim_.Grow(spec_.size_known ? spec_.size : received_, spec_.name);
}

absl::Status PartialFile::Reserve(uint64_t next) {
  if (spec_.size < kReserveFrom || !spec_.size_known || received_ + next < reserved_ ||
      reserved_ == spec_.size) {
    return absl::OkStatus();
  }
  const uint64_t ahead = std::clamp(received_, kReserveAheadMin, kReserveAheadMax);
  const uint64_t until = std::min(spec_.size, received_ + next + ahead);
  // KEEP_SIZE: the file is as long as what has been received.
  while (store_.syscalls.Fallocate(file_.fd(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(reserved_),
                                   static_cast<off_t>(until - reserved_)) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return StoringError(errno, spec_.name);
    // Not to be had in this file system: not asked for again.
    reserved_ = spec_.size;
    return absl::OkStatus();
  }
  reserved_ = until;
  return absl::OkStatus();
}

void PartialFile::CatchUp(uint64_t received) {
  received_ = received;
  reserved_ = std::max(reserved_, received);
  written_back_ = std::max(written_back_, received);
  // What is there is there, whatever the quota says.
  Claim().IgnoreError();
  TellDigest();
}

absl::Status PartialFile::MakeRoom(uint64_t next) {
  if (!spec_.size_known) return claim_.Grow(received_ + next, spec_.name);
  return Reserve(next);
}

absl::Status PartialFile::Append(absl::string_view bytes) {
  if (bytes.size() > remaining()) return TooMany();
  if (absl::Status status = MakeRoom(bytes.size()); !status.ok()) return status;
  while (!bytes.empty()) {
    const ssize_t n = store_.syscalls.Pwrite(file_.fd(), bytes.data(), bytes.size(),
                                             static_cast<off_t>(received_));
    if (n < 0 && errno == EINTR) continue;
    // A regular file takes at least one byte, or has an errno.
    if (n <= 0) return StoringError(n < 0 ? errno : ENOSPC, spec_.name);
    bytes.remove_prefix(static_cast<size_t>(n));
    CountWritten(static_cast<uint64_t>(n));
  }
  return absl::OkStatus();
}

absl::Status PartialFile::AppendFromPipe(int pipe, size_t size) {
  if (size > remaining()) return TooMany();
  if (absl::Status status = MakeRoom(size); !status.ok()) return status;
  while (size > 0) {
    const ssize_t n =
        store_.syscalls.SpliceFromPipe(pipe, file_.fd(), static_cast<off_t>(received_), size);
    if (n < 0 && errno == EINTR) continue;
    // A file system that cannot be spliced into.
    if (n < 0 && errno == EINVAL) return AppendByReading(pipe, size);
    if (n <= 0) return StoringError(n < 0 ? errno : ENOSPC, spec_.name);
    size -= static_cast<size_t>(n);
    CountWritten(static_cast<uint64_t>(n));
  }
  return absl::OkStatus();
}

absl::Status PartialFile::AppendByReading(int pipe, size_t size) {
  std::array<char, kCopySize> buffer;
  while (size > 0) {
    const ssize_t n = ::read(pipe, buffer.data(), std::min(size, buffer.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return StoringError(n < 0 ? errno : EIO, spec_.name);
    absl::Status appended = Append(absl::string_view(buffer.data(), static_cast<size_t>(n)));
    if (!appended.ok()) return appended;
    size -= static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

void PartialFile::CountWritten(uint64_t bytes) {
  received_ += bytes;
  if (received_ - written_back_ >= kWriteBackStep) {
    // Advice: an error here comes again, and counts, at fdatasync.
    ::sync_file_range(file_.fd(), static_cast<off_t>(written_back_),
                      static_cast<off_t>(received_ - written_back_), SYNC_FILE_RANGE_WRITE);
    written_back_ = received_;
  }
  TellDigest();
}

void PartialFile::TellDigest() {
  if (digest_ != nullptr && digest_->SetWritten(received_) && store_.background) {
    store_.background([digest = digest_] { digest->CatchUp(); });
  }
}

absl::Status PartialFile::Sync() {
  const absl::MutexLock lock(&sync_mutex_);
  if (sync_failed_) return SyncError(EIO, spec_.name);
  if (store_.syscalls.Fdatasync(file_.fd()) == 0) return absl::OkStatus();
  sync_failed_ = true;
  return SyncError(errno, spec_.name);
}

absl::Status PartialFile::CheckWhole() const {
  return remaining() == 0 || !spec_.size_known ? absl::OkStatus()
                                               : SizeMismatch(absl::StrCat("only ", received_));
}

absl::StatusOr<Digests> PartialFile::Verify(std::span<const Digests> expected) {
  DigestKinds kinds = spec_.wanted | KindsOf(spec_.expected);
  for (const Digests& wanted : expected) kinds = kinds | KindsOf(wanted);
  if (!kinds.any()) return Digests();
  // Should the file not get its name, there may be another attempt, and more to digest.
  absl::StatusOr<FileDigest::Prefix> actual = DigestOf(kinds)->OfPrefix();
  if (!actual.ok()) return actual.status();
  const Digests& digests = actual->digests;
  absl::Status agrees = CompareDigests(spec_.expected, digests);
  for (const Digests& wanted : expected) agrees.Update(CompareDigests(wanted, digests));
  if (!agrees.ok()) return agrees;
  return digests;
}

std::shared_ptr<FileDigest> PartialFile::DigestOf(DigestKinds kinds) {
  // One that could not be read for a moment begins again.
  if (digest_ == nullptr || digest_->failed() || !digest_->kinds().Include(kinds)) {
    if (digest_ != nullptr) {
      kinds = kinds | digest_->kinds();
      digest_->Abandon();
    }
    // Who asks how far a resumable upload is wants its SHA-256.
    kinds.sha256 = kinds.sha256 || spec_.resumable();
    digest_ = std::make_shared<FileDigest>(file_.shared_fd(), kinds);
    TellDigest();
  }
  return digest_;
}

absl::Status PartialFile::TooMany() const {
  if (spec_.size_known) return SizeMismatch("more");
  return FieldError("size", "FILE_TOO_LARGE",
                    absl::StrCat("at most ", spec_.size, " bytes are allowed, more arrived"));
}

absl::Status PartialFile::SizeMismatch(absl::string_view arrived) const {
  return FieldError("size", "SIZE_MISMATCH",
                    absl::StrCat(spec_.size, " bytes were announced, ", arrived, " arrived"));
}

}  // namespace rawgate::file
