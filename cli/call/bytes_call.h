// One gRPC call of any method, whose messages are bytes.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "google/protobuf/message.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"

namespace rawgate::cli {

// On the wire a unary call is a stream with one message each way, so all kinds are made alike. One
// thread may write while another reads.
class BytesCall final : private grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  // `method` is "package.Service/Method". `context` outlives this object, and cancels the call.
  BytesCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
            grpc::ClientContext& context);
  // Cancels what still goes on.
  ~BytesCall() override;

  // Returns when gRPC has taken the message; false when the call has ended.
  bool Write(const google::protobuf::Message& message);
  // Nothing more is written. Once.
  void WritesDone();
  // The next message, into `message`. False at the end of the call, and for bytes that are no such
  // message, which end the call with INTERNAL.
  bool Read(google::protobuf::Message& message);
  // Waits for the end.
  grpc::Status Finish();

 private:
  void OnReadInitialMetadataDone(bool) override {}
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnWritesDoneDone(bool) override;
  void OnDone(const grpc::Status& status) override;

  // Waits until `what` is set, and takes it.
  bool Take(std::optional<bool>& what);
  void Put(std::optional<bool>& what, bool value);

  grpc::GenericStub stub_;
  // gRPC keeps no copy.
  const std::string path_;
  grpc::ClientContext& context_;
  grpc::ByteBuffer read_;
  grpc::ByteBuffer written_;
  bool malformed_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<bool> read_done_;
  std::optional<bool> write_done_;
  std::optional<grpc::Status> status_;
};

}  // namespace rawgate::cli
