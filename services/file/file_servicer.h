// FileService over the same store as the sockets.
#pragma once

#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "services/file/file_typed_transfer.h"

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
  explicit FileServicer(const TypedDoor& door) : core_(door.core), door_(door) {}

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
  FileCore& core_;
  const TypedDoor door_;
};

}  // namespace rawgate::file
