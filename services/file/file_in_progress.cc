#include "services/file/file_in_progress.h"

#include <errno.h>
#include <fcntl.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_destination.h"
#include "services/file/file_digest_read.h"
#include "services/file/file_errors.h"

namespace rawgate::file {
namespace {

using absl::StatusCode;

constexpr absl::Duration kRetryDelay = absl::Seconds(1);

}  // namespace

UploadInProgress::UploadInProgress(FileStore& store, UploadSpec spec, TemporaryFile file,
                                   uint64_t received, absl::Time last_active)
    : store_(store),
      spec_(std::move(spec)),
      last_active_(last_active),
      file_(store, spec_, std::move(file), received) {
  if (!spec_.resumable()) store_.plain_uploads.fetch_add(1);
}

UploadInProgress::~UploadInProgress() {
  if (!spec_.resumable()) store_.plain_uploads.fetch_sub(1);
}

absl::Status UploadInProgress::CheckCount(size_t now, size_t max) {
  if (now < max) return absl::OkStatus();
  return WithRetryAfter(Error(StatusCode::kResourceExhausted, "TOO_MANY_UPLOADS",
                              absl::StrCat("already ", now, " uploads in progress")),
                        kRetryDelay);
}

absl::Status UploadInProgress::Prepare() {
  const absl::MutexLock lock(&mutex_);
  if (absl::Status claimed = file_.Claim(); !claimed.ok()) return claimed;
  return file_.Reserve(0);
}

void UploadInProgress::CatchUp(uint64_t received, absl::Time last_active) {
  const absl::MutexLock lock(&mutex_);
  file_.CatchUp(received);
  last_active_ = last_active;
}

absl::Status UploadInProgress::CheckState() const {
  switch (state_) {
    case State::kReceiving:
      return absl::OkStatus();
    case State::kCompleting:
    case State::kStored:
      return WithRetryAfter(Error(StatusCode::kAborted, "UPLOAD_COMPLETING",
                                  absl::StrCat("all of upload \"", spec_.upload_id,
                                               "\" has come and is being stored")),
                            kRetryDelay);
    case State::kGivenUp:
      break;
  }
  return UploadNotFound(spec_.upload_id);
}

absl::Status UploadInProgress::Check(uint64_t attempt) const {
  // First: the newer attempt may have completed it.
  if (attempt != attempt_) {
    return Error(StatusCode::kAborted, "UPLOAD_TAKEN_OVER",
                 absl::StrCat("a newer attempt at upload \"", spec_.upload_id, "\" goes on"));
  }
  return CheckState();
}

absl::StatusOr<UploadInProgress::Attempt> UploadInProgress::ClaimLocked(
    std::optional<uint64_t> offset) {
  if (absl::Status status = CheckState(); !status.ok()) return status;
  const uint64_t received = file_.received();
  if (offset.value_or(received) != received) return WrongOffset(*offset, received);
  return Attempt{++attempt_, received};
}

absl::StatusOr<UploadInProgress::Attempt> UploadInProgress::Claim(std::optional<uint64_t> offset) {
  const absl::MutexLock lock(&mutex_);
  return ClaimLocked(offset);
}

void UploadInProgress::Want(DigestKinds kinds) {
  const absl::MutexLock lock(&mutex_);
  if (kinds.any() && CheckState().ok()) file_.DigestOf(kinds);
}

absl::Status UploadInProgress::Append(uint64_t attempt, absl::string_view bytes) {
  const absl::MutexLock lock(&mutex_);
  if (absl::Status status = Check(attempt); !status.ok()) return status;
  last_active_ = absl::Now();
  return file_.Append(bytes);
}

absl::Status UploadInProgress::AppendFromPipe(uint64_t attempt, int pipe, size_t size) {
  const absl::MutexLock lock(&mutex_);
  if (absl::Status status = Check(attempt); !status.ok()) return status;
  last_active_ = absl::Now();
  return file_.AppendFromPipe(pipe, size);
}

absl::StatusOr<uint64_t> UploadInProgress::WriteChunk(uint64_t offset, absl::string_view bytes) {
  if (writing_chunk_.exchange(true)) {
    return Error(StatusCode::kAborted, "WRITE_IN_PROGRESS",
                 "another chunk of this upload is being written: send one after the other");
  }
  const absl::Cleanup done = [this] { writing_chunk_ = false; };
  const absl::MutexLock lock(&mutex_);
  if (const auto attempt = ClaimLocked(offset); !attempt.ok()) return attempt.status();
  last_active_ = absl::Now();
  if (absl::Status status = file_.Append(bytes); !status.ok()) return status;
  return file_.received();
}

absl::StatusOr<FileInfo> UploadInProgress::Commit(uint64_t attempt, const CommitTerms& terms) {
  {
    const absl::MutexLock lock(&mutex_);
    if (absl::Status status = Check(attempt); !status.ok()) return status;
    if (absl::Status status = file_.CheckWhole(); !status.ok()) return status;
    state_ = State::kCompleting;
  }
  absl::StatusOr<FileInfo> info = Store(terms);
  const absl::MutexLock lock(&mutex_);
  last_active_ = absl::Now();
  // What the disk may have lost, and what is not what was meant, is not worth another attempt.
  state_ = info.ok()                         ? State::kStored
           : absl::IsDataLoss(info.status()) ? State::kGivenUp
                                             : State::kReceiving;
  return info;
}

absl::StatusOr<FileInfo> UploadInProgress::Store(const CommitTerms& terms) {
  // Before the digest is complete, so that disk and hash work at the same time.
  if (absl::Status synced = file_.Sync(); !synced.ok()) return synced;
  absl::StatusOr<Digests> digests = file_.Verify(terms.expected);
  if (!digests.ok()) return digests.status();

  if (store_.syscalls.FstatAt(file_.fd(), "", &verified_, AT_EMPTY_PATH) != 0) {
    return StoringError(errno, spec_.name);
  }
  const absl::StatusOr<uint64_t> replaced =
      TakeDestination(store_, spec_.name, spec_.if_absent || terms.if_absent, file_.temporary());
  if (!replaced.ok()) return replaced.status();
  file_.CountStored(*replaced);
  FileInfo info = ToFileInfo(spec_.name.text(), verified_);
  info.digests = *std::move(digests);
  return info;
}

uint64_t UploadInProgress::received() const {
  const absl::MutexLock lock(&mutex_);
  return file_.received();
}

absl::Time UploadInProgress::last_active() const {
  const absl::MutexLock lock(&mutex_);
  return last_active_;
}

absl::StatusOr<FileDigest::Prefix> UploadInProgress::DigestOfReceived() {
  std::shared_ptr<FileDigest> digest;
  {
    const absl::MutexLock lock(&mutex_);
    if (absl::Status status = CheckState(); !status.ok()) return status;
    digest = file_.DigestOf({.sha256 = true});
  }
  // Not under the lock: whoever sends goes on meanwhile.
  const absl::StatusOr<DigestRead> allowed = DigestRead::Begin(store_, digest->behind());
  if (!allowed.ok()) return allowed.status();
  return digest->OfPrefix();
}

absl::StatusOr<uint64_t> UploadInProgress::Sync() {
  uint64_t received = 0;
  {
    const absl::MutexLock lock(&mutex_);
    if (absl::Status status = CheckState(); !status.ok()) return status;
    received = file_.received();
  }
  // Not under the lock either.
  if (absl::Status synced = file_.Sync(); !synced.ok()) return synced;
  return received;
}

absl::Status UploadInProgress::GiveUp() {
  const absl::MutexLock lock(&mutex_);
  if (absl::Status status = CheckState(); !status.ok()) return status;
  state_ = State::kGivenUp;
  return absl::OkStatus();
}

bool UploadInProgress::given_up() const {
  const absl::MutexLock lock(&mutex_);
  return state_ == State::kGivenUp;
}

bool UploadInProgress::GiveUpIfIdleSince(absl::Time time) {
  const absl::MutexLock lock(&mutex_);
  if (state_ != State::kReceiving || last_active_ > time) return false;
  state_ = State::kGivenUp;
  return true;
}

void UploadInProgress::RememberDigests(const Digests& digests) {
  struct stat status;
  if (store_.syscalls.FstatAt(file_.fd(), "", &status, AT_EMPTY_PATH) == 0 &&
      IsSameContent(status, verified_)) {
    store_.digests.Remember(status, digests);
  }
}

}  // namespace rawgate::file
