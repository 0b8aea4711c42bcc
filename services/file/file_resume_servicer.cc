// The unary side of resumable uploads.
#include <string>

#include "runtime/base/status.h"
#include "services/file/file_proto_servicer.h"
#include "services/file/file_servicer.h"
#include "services/file/file_unary_call.h"

namespace rawgate::file {

grpc::ServerUnaryReactor* FileServicer::CreateUpload(grpc::CallbackServerContext* context,
                                                     const v1::CreateUploadRequest* request,
                                                     v1::CreateUploadResponse* response) {
  return Answer(door_, context, "CreateUpload", request->filename(),
                [this, request, response]() -> absl::Status {
                  const auto spec = ToUploadSpec(*request);
                  if (!spec.ok()) return spec.status();
                  if (const auto stored = core_.FindStored(*spec)) {
                    *response->mutable_stored() = ToProto(*stored);
                    return absl::OkStatus();
                  }
                  const auto state = core_.CreateUpload(*spec);
                  if (!state.ok()) return state.status();
                  *response->mutable_upload() = ToProto(*state);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::WriteChunk(grpc::CallbackServerContext* context,
                                                   const v1::WriteChunkRequest* request,
                                                   v1::WriteChunkResponse* response) {
  return Answer(door_, context, "WriteChunk", request->upload_id(),
                [this, request, response]() -> absl::Status {
                  if (absl::Status id = CheckUploadId(request->upload_id()); !id.ok()) return id;
                  if (absl::Status size = CheckChunkSize(request->data().size()); !size.ok())
                    return size;
                  const auto committed =
                      core_.WriteChunk(request->upload_id(), request->offset(), request->data());
                  if (!committed.ok()) return committed.status();
                  response->set_committed_size(*committed);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::GetUpload(grpc::CallbackServerContext* context,
                                                  const v1::GetUploadRequest* request,
                                                  v1::GetUploadResponse* response) {
  return Answer(door_, context, "GetUpload", request->upload_id(),
                [this, request, response]() -> absl::Status {
                  if (absl::Status id = CheckUploadId(request->upload_id()); !id.ok()) return id;
                  const auto progress = core_.GetUpload(request->upload_id());
                  if (progress.ok()) {
                    *response->mutable_upload() = ToProto(progress->state);
                    response->set_prefix_sha256(progress->prefix_sha256);
                    return absl::OkStatus();
                  }
                  const auto completed = core_.FindCompleted(request->upload_id());
                  if (!absl::IsNotFound(progress.status()) || !completed) return progress.status();
                  *response->mutable_stored() = ToProto(*completed);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::CompleteUpload(grpc::CallbackServerContext* context,
                                                       const v1::CompleteUploadRequest* request,
                                                       v1::CompleteUploadResponse* response) {
  return Answer(door_, context, "CompleteUpload", request->upload_id(),
                [this, request, response]() -> absl::Status {
                  if (absl::Status id = CheckUploadId(request->upload_id()); !id.ok()) return id;
                  const auto expected = ToDigests(request->expected(), "expected");
                  if (!expected.ok()) return expected.status();
                  const auto info = core_.CompleteUpload(request->upload_id(), *expected);
                  if (!info.ok()) return info.status();
                  *response->mutable_file() = ToProto(*info);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::AbortUpload(grpc::CallbackServerContext* context,
                                                    const v1::AbortUploadRequest* request,
                                                    v1::AbortUploadResponse*) {
  return Answer(door_, context, "AbortUpload", request->upload_id(),
                [this, request]() -> absl::Status {
                  if (absl::Status id = CheckUploadId(request->upload_id()); !id.ok()) return id;
                  return core_.AbortUpload(request->upload_id());
                });
}

grpc::ServerUnaryReactor* FileServicer::ListUploads(grpc::CallbackServerContext* context,
                                                    const v1::ListUploadsRequest* request,
                                                    v1::ListUploadsResponse* response) {
  return Answer(door_, context, "ListUploads", "", [this, request, response]() -> absl::Status {
    const auto after = DecodePageToken(request->page_token());
    if (!after.ok()) return after.status();
    const auto limit = ToLimit(request->page_size());
    if (!limit.ok()) return limit.status();
    std::string next;
    for (const UploadState& state : core_.ListUploads(*after, *limit, &next)) {
      *response->add_uploads() = ToProto(state);
    }
    response->set_next_page_token(EncodePageToken(next));
    return absl::OkStatus();
  });
}

}  // namespace rawgate::file
