// Uploads by FileService.Upload, one call after the other, in messages of 256 KiB.
//
//   stream_load TARGET SECONDS SIZE
//
// TARGET is a gRPC target: a gateway, or a file service itself. Prints one JSON line; see
// transfers.h.
#include <algorithm>
#include <memory>
#include <string>

#include "bench/transfers.h"
#include "grpcpp/grpcpp.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

using namespace rawgate::bench;  // NOLINT: a program of one file
namespace v1 = rawgate::file::v1;

namespace {

constexpr uint64_t kChunk = 256 * 1024;

void Upload(v1::FileService::Stub& stub, const std::string& name, uint64_t size) {
  grpc::ClientContext context;
  v1::UploadResponse response;
  const auto stream = stub.Upload(&context, &response);
  v1::UploadRequest start;
  start.mutable_start()->set_filename(name);
  start.mutable_start()->set_size(size);
  v1::UploadRequest chunk;
  chunk.set_data(std::string(kChunk, 'x'));
  bool open = stream->Write(start);
  for (uint64_t rest = size; rest > 0 && open;) {
    const uint64_t next = std::min(rest, kChunk);
    if (next < kChunk) chunk.mutable_data()->resize(static_cast<size_t>(next));
    open = stream->Write(chunk);
    rest -= next;
  }
  stream->WritesDone();
  const grpc::Status status = stream->Finish();
  if (status.ok() && response.file().size() == size) return;
  std::fprintf(stderr, "stream_load: %s\n", status.error_message().c_str());
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: stream_load TARGET SECONDS SIZE\n");
    return 2;
  }
  const auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  const std::unique_ptr<v1::FileService::Stub> stub = v1::FileService::NewStub(channel);
  const uint64_t size = ParseNumber(argv[3]);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10))) {
    std::fprintf(stderr, "stream_load: no connection to %s\n", argv[1]);
    return 1;
  }
  RunTransfers(1, std::strtod(argv[2], nullptr), [&](size_t, uint64_t number) {
    Upload(*stub, "c0-" + std::to_string(number), size);
    return size;
  });
  return 0;
}
