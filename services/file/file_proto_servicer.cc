#include "services/file/file_proto_servicer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {

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

absl::StatusOr<UploadSpec> ToUploadSpec(const v1::UploadStart& start) {
  absl::StatusOr<FileName> name = FileName::Parse(start.filename());
  if (!name.ok()) return InField("start", name.status());
  UploadSpec spec{.name = *std::move(name),
                  .size = start.size(),
                  .expected = {.md5 = start.expected().md5(), .sha256 = start.expected().sha256()},
                  .wanted = {.sha256 = true},
                  .if_absent = start.if_absent()};
  if (absl::Status status = NormalizeDigests(&spec.expected); !status.ok())
    return InField("start.expected", std::move(status));
  return spec;
}

absl::Status InField(absl::string_view around, absl::Status status) {
  const std::string field = FieldOf(status);
  if (field.empty()) return status;
  return FieldError(absl::StrCat(around, ".", field), ReasonOf(status), status.message());
}

}  // namespace rawgate::file
