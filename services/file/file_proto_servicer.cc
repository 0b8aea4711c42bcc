#include "services/file/file_proto_servicer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::file {

absl::Status CheckChunkSize(size_t bytes) {
  if (bytes <= kChunkBytesMax) return absl::OkStatus();
  return FieldError("data", "CHUNK_TOO_LARGE",
                    absl::StrCat(bytes, " bytes in one message; at most ", kChunkBytesMax));
}

v1::FileInfo ToProto(const FileInfo& info) {
  v1::FileInfo message;
  message.set_filename(ToUtf8(info.filename));
  message.set_type(info.type == EntryType::kFolder ? v1::ENTRY_TYPE_FOLDER : v1::ENTRY_TYPE_FILE);
  message.set_size(info.size);
  const timespec time = absl::ToTimespec(info.modify_time);
  message.mutable_modify_time()->set_seconds(time.tv_sec);
  message.mutable_modify_time()->set_nanos(static_cast<int32_t>(time.tv_nsec));
  if (!info.digests.empty()) {
    message.mutable_digests()->set_md5(info.digests.md5);
    message.mutable_digests()->set_sha256(info.digests.sha256);
  }
  return message;
}

v1::UnfinishedUpload ToProto(const UploadState& state) {
  v1::UnfinishedUpload message;
  message.set_upload_id(state.upload_id);
  message.set_filename(ToUtf8(state.filename));
  message.set_size(state.size);
  message.set_committed_size(state.committed);
  *message.mutable_expire_time() = rpc::ToProto(state.expires);
  return message;
}

absl::StatusOr<Digests> ToDigests(const v1::Digests& message, absl::string_view around) {
  Digests digests{.md5 = message.md5(), .sha256 = message.sha256()};
  if (absl::Status status = NormalizeDigests(&digests); !status.ok()) {
    return InField(around, std::move(status));
  }
  return digests;
}

absl::StatusOr<UploadSpec> ToUploadSpec(const v1::UploadStart& start) {
  absl::StatusOr<FileName> name = FileName::Parse(start.filename());
  if (!name.ok()) return InField("start", name.status());
  absl::StatusOr<Digests> expected = ToDigests(start.expected(), "start.expected");
  if (!expected.ok()) return expected.status();
  if (!start.upload_id().empty()) {
    if (absl::Status id = CheckUploadId(start.upload_id()); !id.ok()) return InField("start", id);
  }
  return UploadSpec{.name = *std::move(name),
                    .size = start.size(),
                    .expected = *std::move(expected),
                    .wanted = {.sha256 = true},
                    .if_absent = start.if_absent(),
                    .upload_id = start.upload_id(),
                    .offset = start.offset()};
}

absl::StatusOr<UploadSpec> ToUploadSpec(const v1::CreateUploadRequest& request) {
  absl::StatusOr<FileName> name = FileName::Parse(request.filename());
  if (!name.ok()) return name.status();
  absl::StatusOr<Digests> expected = ToDigests(request.expected(), "expected");
  if (!expected.ok()) return expected.status();
  const std::string id = request.upload_id().empty() ? NewUploadId() : request.upload_id();
  if (absl::Status checked = CheckUploadId(id); !checked.ok()) return checked;
  return UploadSpec{.name = *std::move(name),
                    .size = request.size(),
                    .expected = *std::move(expected),
                    .wanted = {.sha256 = true},
                    .if_absent = request.if_absent(),
                    .upload_id = id};
}

absl::StatusOr<size_t> ToLimit(int32_t page_size) {
  if (page_size < 0) return FieldError("page_size", "BAD_PAGE_SIZE", "page_size is negative");
  return page_size == 0 ? kPageSizeDefault : static_cast<size_t>(page_size);
}

absl::Status OfField(absl::string_view field, absl::Status status) {
  return FieldError(field, ReasonOf(status), status.message());
}

absl::Status InField(absl::string_view around, absl::Status status) {
  const std::string field = FieldOf(status);
  if (field.empty()) return status;
  return FieldError(absl::StrCat(around, ".", field), ReasonOf(status), status.message());
}

}  // namespace rawgate::file
