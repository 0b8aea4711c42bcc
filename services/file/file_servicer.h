// FileService over the same store as the sockets.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/status.h"
#include "services/file/disk_pool.h"
#include "services/file/file_core.h"

namespace rawgate::file {

// Upload is given as bytes, see runtime/rpc/raw_message.h.
using FileServiceBase =
    v1::FileService::WithRawCallbackMethod_Upload<v1::FileService::WithCallbackMethod_Download<
        v1::FileService::WithCallbackMethod_StatFile<v1::FileService::WithCallbackMethod_ListFiles<
            v1::FileService::WithCallbackMethod_DeleteFile<
                v1::FileService::WithCallbackMethod_MoveFile<
                    v1::FileService::WithCallbackMethod_GetLimits<
                        v1::FileService::WithCallbackMethod_CreateUpload<
                            v1::FileService::WithCallbackMethod_WriteChunk<
                                v1::FileService::WithCallbackMethod_GetUpload<
                                    v1::FileService::WithCallbackMethod_CompleteUpload<
                                        v1::FileService::WithCallbackMethod_AbortUpload<
                                            v1::FileService::WithCallbackMethod_ListUploads<
                                                v1::FileService::Service>>>>>>>>>>>>>;

// Thread-safe. Nothing is done on gRPC's threads that could wait for the disk.
class FileServicer final : public FileServiceBase {
 public:
  // All outlive this object. A transfer whose client makes no progress for `stall_timeout` ends
  // with DEADLINE_EXCEEDED (STALLED).
  FileServicer(FileCore& core, DiskPool& disk, rpc::Admission& admission,
               absl::Duration stall_timeout)
      : core_(core), disk_(disk), admission_(admission), stall_timeout_(stall_timeout) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* Upload(grpc::CallbackServerContext* context,
                                                    grpc::ByteBuffer* response) override;
  grpc::ServerWriteReactor<v1::DownloadResponse>* Download(
      grpc::CallbackServerContext* context, const v1::DownloadRequest* request) override;
  grpc::ServerUnaryReactor* StatFile(grpc::CallbackServerContext* context,
                                     const v1::StatFileRequest* request,
                                     v1::StatFileResponse* response) override;
  grpc::ServerUnaryReactor* ListFiles(grpc::CallbackServerContext* context,
                                      const v1::ListFilesRequest* request,
                                      v1::ListFilesResponse* response) override;
  grpc::ServerUnaryReactor* DeleteFile(grpc::CallbackServerContext* context,
                                       const v1::DeleteFileRequest* request,
                                       v1::DeleteFileResponse* response) override;
  grpc::ServerUnaryReactor* MoveFile(grpc::CallbackServerContext* context,
                                     const v1::MoveFileRequest* request,
                                     v1::MoveFileResponse* response) override;
  grpc::ServerUnaryReactor* GetLimits(grpc::CallbackServerContext* context,
                                      const v1::GetLimitsRequest* request,
                                      v1::GetLimitsResponse* response) override;
  grpc::ServerUnaryReactor* CreateUpload(grpc::CallbackServerContext* context,
                                         const v1::CreateUploadRequest* request,
                                         v1::CreateUploadResponse* response) override;
  grpc::ServerUnaryReactor* WriteChunk(grpc::CallbackServerContext* context,
                                       const v1::WriteChunkRequest* request,
                                       v1::WriteChunkResponse* response) override;
  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context,
                                      const v1::GetUploadRequest* request,
                                      v1::GetUploadResponse* response) override;
  grpc::ServerUnaryReactor* CompleteUpload(grpc::CallbackServerContext* context,
                                           const v1::CompleteUploadRequest* request,
                                           v1::CompleteUploadResponse* response) override;
  grpc::ServerUnaryReactor* AbortUpload(grpc::CallbackServerContext* context,
                                        const v1::AbortUploadRequest* request,
                                        v1::AbortUploadResponse* response) override;
  grpc::ServerUnaryReactor* ListUploads(grpc::CallbackServerContext* context,
                                        const v1::ListUploadsRequest* request,
                                        v1::ListUploadsResponse* response) override;

 private:
  // Admits a unary call, described by method and subject, and answers it with what `work` returns,
  // on the pool.
  template <typename Work>
  grpc::ServerUnaryReactor* Answer(grpc::CallbackServerContext* context, absl::string_view method,
                                   const std::string& subject, Work work);

  FileCore& core_;
  DiskPool& disk_;
  rpc::Admission& admission_;
  const absl::Duration stall_timeout_;
};

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

}  // namespace rawgate::file
