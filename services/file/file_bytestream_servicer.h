// google.bytestream.ByteStream over the same store as FileService.
#pragma once

#include "google/bytestream/bytestream.grpc.pb.h"
#include "services/file/file_typed_transfer.h"

namespace rawgate::file {

namespace bytestream = google::bytestream;

// Write is given as bytes, see runtime/rpc/raw_message.h.
using ByteStreamBase = bytestream::ByteStream::WithRawCallbackMethod_Write<
    bytestream::ByteStream::WithCallbackMethod_Read<
        bytestream::ByteStream::WithCallbackMethod_QueryWriteStatus<
            bytestream::ByteStream::Service>>>;

// Thread-safe. Nothing is done on gRPC's threads that could wait for the disk.
class ByteStreamServicer final : public ByteStreamBase {
 public:
  explicit ByteStreamServicer(const TypedDoor& door) : door_(door) {}

  grpc::ServerWriteReactor<bytestream::ReadResponse>* Read(
      grpc::CallbackServerContext* context, const bytestream::ReadRequest* request) override;
  grpc::ServerReadReactor<grpc::ByteBuffer>* Write(grpc::CallbackServerContext* context,
                                                   grpc::ByteBuffer* response) override;
  grpc::ServerUnaryReactor* QueryWriteStatus(
      grpc::CallbackServerContext* context, const bytestream::QueryWriteStatusRequest* request,
      bytestream::QueryWriteStatusResponse* response) override;

 private:
  const TypedDoor door_;
};

}  // namespace rawgate::file
