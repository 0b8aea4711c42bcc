#include "services/file/file_servicer.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "services/file/file_download_servicer.h"
#include "services/file/file_proto_servicer.h"
#include "services/file/file_upload_servicer.h"

namespace rawgate::file {

template <typename Work>
grpc::ServerUnaryReactor* FileServicer::Answer(grpc::CallbackServerContext* context,
                                               absl::string_view method, const std::string& subject,
                                               Work work) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<rpc::Call> admitted = admission_.Admit(*context, method);
  if (!admitted.ok()) {
    reactor->Finish(rpc::ToGrpc(admitted.status()));
    return reactor;
  }
  admitted->Describe([&] { return absl::StrCat(method, " \"", subject, "\""); });
  disk_.Post(
      [reactor, call = std::make_optional(*std::move(admitted)), work = std::move(work)]() mutable {
        const grpc::Status status = call->End(work());
        // The context, which it refers to, goes with the call.
        call.reset();
        reactor->Finish(status);
      });
  return reactor;
}

grpc::ServerReadReactor<grpc::ByteBuffer>* FileServicer::Upload(
    grpc::CallbackServerContext* context, grpc::ByteBuffer* response) {
  return new UploadCall({.core = core_,
                         .disk = disk_,
                         .events = admission_.service().events(),
                         .context = *context,
                         .response = *response,
                         .stall_timeout = stall_timeout_},
                        admission_.Admit(*context, "Upload"));
}

grpc::ServerWriteReactor<v1::DownloadResponse>* FileServicer::Download(
    grpc::CallbackServerContext* context, const v1::DownloadRequest* request) {
  return DownloadCall::Start(core_, disk_, admission_.service().events(), *request,
                             admission_.Admit(*context, "Download"), stall_timeout_);
}

grpc::ServerUnaryReactor* FileServicer::StatFile(grpc::CallbackServerContext* context,
                                                 const v1::StatFileRequest* request,
                                                 v1::StatFileResponse* response) {
  return Answer(context, "StatFile", request->filename(),
                [this, request, response]() -> absl::Status {
                  const auto name = FileName::Parse(request->filename());
                  if (!name.ok()) return name.status();
                  const auto info = core_.Stat(*name);
                  if (!info.ok()) return info.status();
                  *response->mutable_file() = ToProto(*info);
                  return absl::OkStatus();
                });
}

grpc::ServerUnaryReactor* FileServicer::ListFiles(grpc::CallbackServerContext* context,
                                                  const v1::ListFilesRequest* request,
                                                  v1::ListFilesResponse* response) {
  return Answer(
      context, "ListFiles", request->folder(), [this, request, response]() -> absl::Status {
        const auto folder = FileName::ParseFolder(request->folder());
        if (!folder.ok()) return folder.status();
        const auto after = DecodePageToken(request->page_token());
        if (!after.ok()) return after.status();
        if (request->page_size() < 0) {
          return FieldError("page_size", "BAD_PAGE_SIZE", "page_size is negative");
        }
        const size_t limit = request->page_size() == 0 ? kPageSizeDefault
                                                       : static_cast<size_t>(request->page_size());
        const auto listing = core_.List(*folder, *after, limit);
        if (!listing.ok()) return listing.status();
        for (const FileInfo& entry : listing->entries) *response->add_files() = ToProto(entry);
        response->set_next_page_token(EncodePageToken(listing->next));
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* FileServicer::DeleteFile(grpc::CallbackServerContext* context,
                                                   const v1::DeleteFileRequest* request,
                                                   v1::DeleteFileResponse*) {
  return Answer(context, "DeleteFile", request->filename(), [this, request]() -> absl::Status {
    const auto name = FileName::Parse(request->filename());
    if (!name.ok()) return name.status();
    return core_.Delete(*name);
  });
}

grpc::ServerUnaryReactor* FileServicer::GetLimits(grpc::CallbackServerContext* context,
                                                  const v1::GetLimitsRequest*,
                                                  v1::GetLimitsResponse* response) {
  return Answer(context, "GetLimits", "", [this, response]() -> absl::Status {
    const auto limits = core_.GetLimits();
    if (!limits.ok()) return limits.status();
    response->set_max_file_bytes(limits->file_max_bytes);
    response->set_max_chunk_bytes(kChunkBytesMax);
    response->set_free_bytes(limits->free_bytes);
    return absl::OkStatus();
  });
}

}  // namespace rawgate::file
