// For tests of the typed side: the servicer in a server of this process, and a client.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "runtime/rpc/status.h"
#include "runtime/testing/loop_thread.h"
#include "runtime/testing/raw_client.h"
#include "services/file/file_bytestream_servicer.h"
#include "services/file/file_proto_servicer.h"
#include "services/file/file_servicer.h"
#include "services/file/file_store_testing.h"

namespace rawgate::file {

class FileServicerTest : public ::testing::Test {
 protected:
  explicit FileServicerTest(absl::Duration stall_timeout = absl::Minutes(1))
      : door_{.core = *core_,
              .disk = disk_,
              .admission = admission_,
              .stall_timeout = stall_timeout} {}

  void SetUp() override {
    grpc::ServerBuilder builder;
    builder.RegisterService(&servicer_);
    builder.RegisterService(&bytestream_servicer_);
    server_ = builder.BuildAndStart();
    stub_ = v1::FileService::NewStub(server_->InProcessChannel({}));
    bytestream_stub_ = bytestream::ByteStream::NewStub(server_->InProcessChannel({}));
    service_.Add(admission_);
    StartService();
  }
  void TearDown() override {
    server_->Shutdown();
    disk_.Join();
    thread_.Stop();
  }

  void StartService() {
    std::promise<absl::Status> started;
    service_.Start("", [&](absl::Status status) { started.set_value(status); });
    ASSERT_TRUE(started.get_future().get().ok());
  }

  // Typed calls in progress.
  std::vector<net::ConnectionInfo> Calls() {
    std::vector<net::ConnectionInfo> rows;
    admission_.List(0, 1000, &rows);
    return rows;
  }

  void StopService(absl::Duration grace) {
    std::promise<absl::Status> stopped;
    service_.Stop("", grace, [&](absl::Status status) { stopped.set_value(status); });
    ASSERT_TRUE(stopped.get_future().get().ok());
  }

  static std::string Reason(const grpc::Status& status) {
    return status.ok() ? "OK" : ReasonOf(rpc::FromGrpc(status));
  }

  // An upload of `parts`, as many as the server takes.
  grpc::Status Upload(const v1::UploadStart& start, const std::vector<std::string>& parts,
                      v1::UploadResponse* response) {
    grpc::ClientContext context;
    auto writer = stub_->Upload(&context, response);
    v1::UploadRequest message;
    *message.mutable_start() = start;
    bool open = writer->Write(message);
    for (const std::string& part : parts) {
      if (!open) break;
      message.set_data(part);
      open = writer->Write(message);
    }
    writer->WritesDone();
    return writer->Finish();
  }

  static v1::UploadStart StartOf(const std::string& name, uint64_t size) {
    v1::UploadStart start;
    start.set_filename(name);
    start.set_size(size);
    return start;
  }

  struct Downloaded {
    grpc::Status status;
    v1::DownloadHeader header;
    std::string content;
    std::string sha256;
  };
  Downloaded Download(const v1::DownloadRequest& request) {
    Downloaded result;
    grpc::ClientContext context;
    auto reader = stub_->Download(&context, request);
    v1::DownloadResponse message;
    int number = 0;
    while (reader->Read(&message)) {
      if (number++ == 0) {
        EXPECT_TRUE(message.has_header());
        result.header = message.header();
      } else if (message.has_trailer()) {
        result.sha256 = message.trailer().sha256();
      } else {
        EXPECT_EQ(result.sha256, "");
        EXPECT_LE(message.data().size(), kChunkBytes);
        result.content += message.data();
      }
    }
    result.status = reader->Finish();
    return result;
  }

  static std::string Sha256(const std::string& content) {
    Digester digester({.sha256 = true});
    digester.Update(content);
    return digester.Finish()->sha256;
  }

  TestFolder folder_;
  FaultySyscalls syscalls_;
  DiskPool disk_{4};
  std::unique_ptr<FileCore> core_ = OpenStore(
      folder_.path(), syscalls_,
      {.background = [this](std::function<void()> work) { disk_.Post(std::move(work)); }});
  rawgate::testing::LoopThread thread_;
  observe::EventLog events_;
  net::Service service_{thread_.loop(), "file", events_};
  rpc::Admission admission_{service_};
  const TypedDoor door_;
  FileServicer servicer_{door_};
  ByteStreamServicer bytestream_servicer_{door_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::FileService::Stub> stub_;
  std::unique_ptr<bytestream::ByteStream::Stub> bytestream_stub_;
};

class ImpatientFileServicerTest : public FileServicerTest {
 protected:
  ImpatientFileServicerTest() : FileServicerTest(absl::Milliseconds(50)) {}
};

}  // namespace rawgate::file
