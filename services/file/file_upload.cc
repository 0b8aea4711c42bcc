#include "services/file/file_upload.h"

#include <errno.h>

#include <array>
#include <utility>

#include "runtime/base/status.h"
#include "services/file/file_destination.h"
#include "services/file/file_errors.h"
#include "services/file/file_unfinished.h"

namespace rawgate::file {
namespace {

// What a power cut may take of a resumable upload. The disk has been put to work long before: what
// is left for the checkpoint to wait for is little.
constexpr uint64_t kCheckpointStep = 256 << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<FileUpload>> FileUpload::Begin(FileStore& store, UploadSpec spec) {
  const uint64_t offset = spec.offset;
  const Digests expected = spec.expected;
  const bool if_absent = spec.if_absent;
  const DigestKinds wanted = spec.wanted | KindsOf(expected);
  if (!spec.resumable() && offset > 0) return WrongOffset(offset, 0);
  if (offset > 0) {
    // As for a new one: better now than when all has come.
    const absl::StatusOr<Fd> destination = CheckDestination(store, spec, offset);
    if (!destination.ok()) return destination.status();
  }
  auto upload =
      spec.resumable() ? store.unfinished->FindOrBegin(spec) : BeginPlain(store, std::move(spec));
  if (!upload.ok()) return upload.status();
  absl::StatusOr<std::unique_ptr<FileUpload>> attempt = Claim(store, *std::move(upload), offset);
  if (!attempt.ok()) return attempt;
  // An earlier attempt may have expected, and wanted, less.
  (*attempt)->expected_ = expected;
  (*attempt)->if_absent_ = if_absent;
  (*attempt)->upload_->Want(wanted);
  return attempt;
}

absl::StatusOr<std::unique_ptr<FileUpload>> FileUpload::TakeOver(
    FileStore& store, std::shared_ptr<UploadInProgress> upload) {
  return Claim(store, std::move(upload), std::nullopt);
}

absl::StatusOr<std::unique_ptr<FileUpload>> FileUpload::Claim(
    FileStore& store, std::shared_ptr<UploadInProgress> upload, std::optional<uint64_t> offset) {
  const absl::StatusOr<UploadInProgress::Attempt> attempt = upload->Claim(offset);
  if (!attempt.ok()) return attempt.status();
  return std::unique_ptr<FileUpload>(new FileUpload(store, std::move(upload), *attempt));
}

absl::StatusOr<std::shared_ptr<UploadInProgress>> FileUpload::BeginPlain(FileStore& store,
                                                                         UploadSpec spec) {
  if (absl::Status status = UploadInProgress::CheckCount(store.plain_uploads, store.uploads_max);
      !status.ok())
    return status;
  absl::StatusOr<Fd> folder = CheckDestination(store, spec);
  if (!folder.ok()) return folder.status();
  TemporaryFile file = TemporaryFile::Create(*std::move(folder), store.link_method, store.syscalls);
  if (!file) return StoringError(errno, spec.name);
  auto upload = std::make_shared<UploadInProgress>(store, std::move(spec), std::move(file));
  if (absl::Status prepared = upload->Prepare(); !prepared.ok()) return prepared;
  return upload;
}

absl::Status FileUpload::Append(absl::string_view bytes) {
  return Count(upload_->Append(attempt_, bytes), bytes.size());
}

absl::Status FileUpload::AppendFromPipe(int pipe, size_t size) {
  return Count(upload_->AppendFromPipe(attempt_, pipe, size), size);
}

absl::Status FileUpload::Count(absl::Status stored, uint64_t bytes) {
  if (!stored.ok()) return stored;
  received_ += bytes;
  if (!spec().resumable() || received_ - checkpoint_ < kCheckpointStep) return stored;
  checkpoint_ = received_;
  return store_.unfinished->Checkpoint(*upload_).status();
}

absl::StatusOr<FileInfo> FileUpload::Commit(const Digests& expected) {
  const std::array<Digests, 2> all = {expected_, expected};
  const CommitTerms terms{.expected = all, .if_absent = if_absent_};
  absl::StatusOr<FileInfo> info = spec().resumable()
                                      ? store_.unfinished->Commit(*upload_, attempt_, terms)
                                      : upload_->Commit(attempt_, terms);
  // Last: names that it gets and loses change what it is known by.
  if (info.ok()) upload_->RememberDigests(info->digests);
  return info;
}

}  // namespace rawgate::file
