#include "services/file/file_typed_transfer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "runtime/base/status.h"

namespace rawgate::file {

absl::Status TypedUpload::Begin(UploadSpec spec) {
  stored_ = door_.core.FindStored(spec);
  verified_ = !spec.expected.sha256.empty();
  if (stored_) return absl::OkStatus();
  progress_.emplace(door_.admission.service().events(), rpc::kRpcListener, call_.id(),
                    spec.name.text(), true,
                    spec.size_known ? std::optional(spec.size) : std::nullopt, spec.offset);
  auto begun = door_.core.BeginUpload(std::move(spec));
  if (!begun.ok()) return begun.status();
  upload_ = *std::move(begun);
  return absl::OkStatus();
}

absl::Status TypedUpload::Append(absl::string_view bytes) {
  call_.CountReceived(bytes.size());
  if (stored_) {
    return bytes.empty() ? absl::OkStatus()
                         : FieldError("size", "SIZE_MISMATCH", "all of this upload had come");
  }
  if (absl::Status stored = upload_->Append(bytes); !stored.ok()) return stored;
  progress_->Add(bytes.size());
  return absl::OkStatus();
}

absl::StatusOr<FileInfo> TypedUpload::Commit(const Digests& expected) {
  if (stored_) {
    if (absl::Status same = door_.core.CheckStored(*stored_, expected); !same.ok()) return same;
    return *stored_;
  }
  return upload_->Commit(expected);
}

absl::StatusOr<const FileDownload*> TypedDownload::Open(const FileName& name, uint64_t offset,
                                                        std::optional<uint64_t> length) {
  absl::StatusOr<FileDownload> file = door_.core.OpenDownload(name, offset, length);
  if (!file.ok()) return file.status();
  file_.emplace(*std::move(file));
  progress_.emplace(door_.admission.service().events(), rpc::kRpcListener, call_.id(), name.text(),
                    false, file_->length());
  return &*file_;
}

absl::Status TypedDownload::Read(std::string* data) {
  data->resize(static_cast<size_t>(std::min<uint64_t>(kChunkBytes, file_->remaining())));
  const auto read = file_->Read(std::span<char>(data->data(), data->size()));
  if (!read.ok()) return read.status();
  call_.CountSent(data->size());
  progress_->Add(data->size());
  return absl::OkStatus();
}

}  // namespace rawgate::file
