#include "services/file/file_servicer.h"

#include "runtime/rpc/proto_time.h"
#include "services/file/file_proto_servicer.h"
#include "services/file/file_unary_call.h"

namespace rawgate::file {

grpc::ServerUnaryReactor* FileServicer::StatFile(grpc::CallbackServerContext* context,
                                                 const v1::StatFileRequest* request,
                                                 v1::StatFileResponse* response) {
  return Answer(door_, context, "StatFile", request->filename(),
                [this, request, response]() -> absl::Status {
                  const auto name = FileName::Parse(request->filename());
                  if (!name.ok()) return name.status();
                  const auto info = core_.Stat(*name, request->with_sha256());
                  if (!info.ok()) return info.status();
                  *response->mutable_file() = ToProto(*info);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::ListFiles(grpc::CallbackServerContext* context,
                                                  const v1::ListFilesRequest* request,
                                                  v1::ListFilesResponse* response) {
  return Answer(door_, context, "ListFiles", request->folder(),
                [this, request, response]() -> absl::Status {
                  const auto folder = FileName::ParseFolder(request->folder());
                  if (!folder.ok()) return folder.status();
                  const auto after = DecodePageToken(request->page_token());
                  if (!after.ok()) return after.status();
                  const auto limit = ToLimit(request->page_size());
                  if (!limit.ok()) return limit.status();
                  const auto listing = core_.List(*folder, *after, *limit);
                  if (!listing.ok()) return listing.status();
                  for (const FileInfo& entry : listing->entries)
                    *response->add_files() = ToProto(entry);
                  response->set_next_page_token(EncodePageToken(listing->next));
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::DeleteFile(grpc::CallbackServerContext* context,
                                                   const v1::DeleteFileRequest* request,
                                                   v1::DeleteFileResponse*) {
  return Answer(door_, context, "DeleteFile", request->filename(),
                [this, request]() -> absl::Status {
                  const auto name = FileName::Parse(request->filename());
                  if (!name.ok()) return name.status();
                  return core_.Delete(*name);
                });
}

grpc::ServerUnaryReactor* FileServicer::MoveFile(grpc::CallbackServerContext* context,
                                                 const v1::MoveFileRequest* request,
                                                 v1::MoveFileResponse* response) {
  return Answer(door_, context, "MoveFile", request->filename(),
                [this, request, response]() -> absl::Status {
                  const auto from = FileName::Parse(request->filename());
                  if (!from.ok()) return from.status();
                  const auto to = FileName::Parse(request->new_filename());
                  if (!to.ok()) return OfField("new_filename", to.status());
                  const auto info = core_.Move(*from, *to, request->if_absent());
                  if (!info.ok()) return info.status();
                  *response->mutable_file() = ToProto(*info);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::GetLimits(grpc::CallbackServerContext* context,
                                                  const v1::GetLimitsRequest*,
                                                  v1::GetLimitsResponse* response) {
  return Answer(door_, context, "GetLimits", "", [this, response]() -> absl::Status {
    const auto limits = core_.GetLimits();
    if (!limits.ok()) return limits.status();
    response->set_max_file_bytes(limits->file_max_bytes);
    response->set_max_chunk_bytes(kChunkBytesMax);
    response->set_free_bytes(limits->free_bytes);
    *response->mutable_upload_expiry() = rpc::ToProto(limits->upload_expiry);
    return absl::OkStatus();
  });
}

}  // namespace rawgate::file
