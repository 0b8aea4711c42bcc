#include "cli/upload_resumption.h"

#include "absl/strings/str_cat.h"
#include "cli/gateway.h"
#include "cli/upload_id.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using file::v1::FileInfo;
using file::v1::FileService;

// More often the same file is not stored, removed and stored again within the time that the service
// remembers.
constexpr int kGenerationsMax = 100;
constexpr int kPageSize = 1000;

}  // namespace

absl::StatusOr<std::optional<FileInfo>> FindStored(const std::string& name, DigestedSource& source,
                                                   TransferContext& context) {
  file::v1::StatFileRequest request;
  request.set_filename(name);
  // First without the digest, which may cost the far side the reading of it all.
  for (const bool with_sha256 : {false, true}) {
    request.set_with_sha256(with_sha256);
    const auto there =
        LongCall(context.store, &FileService::Stub::StatFile, request, context.interrupt);
    if (absl::IsNotFound(there.status())) return std::nullopt;
    if (!there.ok()) return there.status();
    const FileInfo& file = there->file();
    if (file.type() != file::v1::ENTRY_TYPE_FILE || file.size() != source.file().size()) {
      return std::nullopt;
    }
    if (file.digests().sha256().empty()) continue;
    const absl::StatusOr<std::string> own = source.DigestUntil(source.file().size());
    if (!own.ok()) return own.status();
    if (*own != file.digests().sha256()) return std::nullopt;
    return file;
  }
  return std::nullopt;
}

UploadResumption::UploadResumption(const std::string& name, DigestedSource& source,
                                   TransferContext& context)
    : name_(name), source_(source), context_(context), id_(UploadId(source.file(), name, 0)) {}

absl::StatusOr<UploadResumption::Point> UploadResumption::Find() {
  for (; generation_ < kGenerationsMax; ++generation_) {
    id_ = UploadId(source_.file(), name_, generation_);
    file::v1::GetUploadRequest request;
    request.set_upload_id(id_);
    const auto there =
        LongCall(context_.store, &FileService::Stub::GetUpload, request, context_.interrupt);
    if (absl::IsNotFound(there.status())) {
      absl::Status aborted = begun_ ? absl::OkStatus() : AbortOtherVersions();
      if (!aborted.ok()) return aborted;
      return Point();
    }
    if (!there.ok()) return there.status();
    if (!there->has_stored()) {
      const absl::StatusOr<uint64_t> offset = OffsetOf(*there);
      if (!offset.ok()) return offset.status();
      return Point{std::nullopt, *offset};
    }
    if (begun_) return Point{there->stored(), 0};
    // Completed by an earlier run: the file may have been removed or replaced since.
    const auto stored = FindStored(name_, source_, context_);
    if (!stored.ok()) return stored.status();
    if (stored->has_value()) return Point{**stored, 0};
  }
  return Error(absl::StatusCode::kAborted, "UPLOAD_EXISTS",
               "the same file was stored and removed too often of late; try it with --no-resume");
}

absl::StatusOr<uint64_t> UploadResumption::OffsetOf(const file::v1::GetUploadResponse& there) {
  const file::v1::UnfinishedUpload& upload = there.upload();
  if (upload.filename() == name_ && upload.size() == source_.file().size() &&
      upload.committed_size() <= upload.size()) {
    const absl::StatusOr<std::string> own = source_.DigestUntil(upload.committed_size());
    if (!own.ok()) return own.status();
    if (*own == there.prefix_sha256()) return upload.committed_size();
  }
  NoteStartingAnew();
  if (absl::Status aborted = Abort(id_); !aborted.ok()) return aborted;
  return 0;
}

void UploadResumption::NoteStartingAnew() {
  context_.progress.Note(
      context_.Line(name_, "the file has changed since it was sent in part; starting anew"));
}

absl::Status UploadResumption::Abort(const std::string& id) {
  file::v1::AbortUploadRequest request;
  request.set_upload_id(id);
  const auto aborted =
      LongCall(context_.store, &FileService::Stub::AbortUpload, request, context_.interrupt);
  return absl::IsNotFound(aborted.status()) ? absl::OkStatus() : aborted.status();
}

absl::Status UploadResumption::AbortOtherVersions() {
  file::v1::ListUploadsRequest request;
  request.set_page_size(kPageSize);
  do {
    const auto page =
        LongCall(context_.store, &FileService::Stub::ListUploads, request, context_.interrupt);
    if (!page.ok()) return page.status();
    for (const file::v1::UnfinishedUpload& upload : page->uploads()) {
      if (!IsOtherVersion(upload.upload_id(), id_)) continue;
      NoteStartingAnew();
      if (absl::Status aborted = Abort(upload.upload_id()); !aborted.ok()) return aborted;
    }
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

void UploadResumption::Abandon() { Abort(id_).IgnoreError(); }

}  // namespace rawgate::cli
