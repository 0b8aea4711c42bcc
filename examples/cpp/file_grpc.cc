// Uploads a file through the gateway, going on with what was broken off, and downloads it.
//
// Usage: file_grpc [FILE [NAME [HOST:PORT]]]
#include <exception>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>

#include "content.h"
#include "gateway.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"

namespace rpc = rawgate::file::v1;
using Files = rpc::FileService::Stub;

void Upload(Files& files, const std::string& name, const std::string& data,
            const std::string& digest) {
  rpc::CreateUploadRequest begin;
  begin.set_filename(name);
  begin.set_size(data.size());
  begin.mutable_expected()->set_sha256(digest);
  // An id that follows from name and content: whoever repeats the command means the same upload.
  begin.set_upload_id(Sha256().Update(name + " " + digest).Hex());
  const auto begun = Call(files, &Files::CreateUpload, begin);
  if (begun.has_stored()) return;  // that very content is there already
  rpc::WriteChunkRequest chunk;
  chunk.set_upload_id(begin.upload_id());
  chunk.set_offset(begun.upload().committed_size());
  if (chunk.offset() > 0) std::cout << "resumed at: " << chunk.offset() << "\n";
  while (chunk.offset() < data.size()) {
    chunk.set_data(data.substr(chunk.offset(), 1 << 20));
    chunk.set_offset(Call(files, &Files::WriteChunk, chunk, 60).committed_size());
    std::cerr << chunk.offset() << " of " << data.size() << " bytes\n";
  }
  rpc::CompleteUploadRequest complete;
  complete.set_upload_id(begin.upload_id());
  Call(files, &Files::CompleteUpload, complete, 60);
}

int main(int argc, char** argv) try {
  const std::filesystem::path path = argc > 1 ? argv[1] : argv[0];
  const std::string name = argc > 2 ? argv[2] : path.filename().string();
  const auto files = rpc::FileService::NewStub(Connect(argc, argv, 3));
  const std::string data = ReadFile(path), digest = Sha256().Update(data).Hex();
  Upload(*files, name, data, digest);
  std::cout << "stored: " << name << " " << digest << "\n";
  Within context(600);
  rpc::DownloadRequest request;
  request.set_filename(name);
  const auto stream = files->Download(&context, request);
  Sha256 received;  // of the data, which neither header nor trailer has
  for (rpc::DownloadResponse part; stream->Read(&part);) received.Update(part.data());
  Check(stream->Finish());
  if (received.Hex() != digest) throw std::runtime_error("other bytes came back");
  std::cout << "downloaded: the same bytes\n";
} catch (const std::exception& error) {
  std::cerr << "file_grpc: " << error.what() << "\n";
  return 1;
}
