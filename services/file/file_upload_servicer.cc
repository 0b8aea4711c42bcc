// FileService.Upload.
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/file/file_proto_servicer.h"
#include "services/file/file_servicer.h"
#include "services/file/file_upload_call.h"

namespace rawgate::file {
namespace {

// An UploadReceiver.
class FileReceiver {
 public:
  using Request = v1::UploadRequest;

  FileReceiver(const TypedDoor& door, rpc::Call& call) : call_(call), upload_(door, call) {}

  absl::Status Take(const v1::UploadRequest& message) {
    if (message.has_start()) return Begin(message.start());
    if (!upload_.begun()) return StartMissing();
    if (message.has_finish()) return TakeFinish(message.finish());
    if (absl::Status size = CheckChunkSize(message.data().size()); !size.ok()) return size;
    return InField("start", upload_.Append(message.data()));
  }

  bool finished() const { return finish_ || upload_.stored(); }

  absl::StatusOr<grpc::ByteBuffer> Complete() {
    if (!upload_.begun()) return StartMissing();
    absl::StatusOr<FileInfo> info = upload_.Commit(finish_.value_or(Digests()));
    if (!info.ok()) return InField("start", info.status());
    v1::UploadResponse response;
    *response.mutable_file() = ToProto(*info);
    return rpc::Serialize(response);
  }

 private:
  static absl::Status StartMissing() {
    return FieldError("start", "UPLOAD_START_MISSING", "an upload begins with a start message");
  }

  absl::Status Begin(const v1::UploadStart& start) {
    if (upload_.begun()) {
      return FieldError("start", "UPLOAD_START_REPEATED", "an upload has one start message");
    }
    absl::StatusOr<UploadSpec> spec = ToUploadSpec(start);
    if (!spec.ok()) return spec.status();
    call_.Describe([&] {
      return absl::StrCat("upload of \"", start.filename(), "\", ", start.size(), " bytes");
    });
    return InField("start", upload_.Begin(*std::move(spec)));
  }

  absl::Status TakeFinish(const v1::UploadFinish& finish) {
    absl::StatusOr<Digests> expected = ToDigests(finish.expected(), "finish.expected");
    if (!expected.ok()) return expected.status();
    finish_ = *std::move(expected);
    return absl::OkStatus();
  }

  rpc::Call& call_;
  TypedUpload upload_;
  std::optional<Digests> finish_;
};

}  // namespace

grpc::ServerReadReactor<grpc::ByteBuffer>* FileServicer::Upload(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return new UploadCall<FileReceiver>(door_, "Upload", *context, *response);
}

}  // namespace rawgate::file
