// For tests: a backend that does as the request says.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "rawgate/chat/v1/chat_service.grpc.pb.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/server.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

// Keeps gRPC's library up between tests: taking it down waits up to ten seconds for a poller of its
// own.
inline const bool kLibraryIsUp = (grpc_init(), true);

// Polls until `condition` holds; false after ten seconds.
template <typename Condition>
bool Eventually(Condition condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// What a backend saw of a call that reached it. Thread-safe.
class CallRecord {
 public:
  void Take(const grpc::ServerContext& context) {
    absl::MutexLock lock(&mutex_);
    metadata_.clear();
    for (const auto& [key, value] : context.client_metadata()) {
      metadata_.emplace(std::string(key.data(), key.size()),
                        std::string(value.data(), value.size()));
    }
    time_left_ = absl::FromChrono(context.deadline()) - absl::Now();
  }
  std::multimap<std::string, std::string> metadata() {
    absl::MutexLock lock(&mutex_);
    return metadata_;
  }
  absl::Duration time_left() {
    absl::MutexLock lock(&mutex_);
    return time_left_;
  }

 private:
  absl::Mutex mutex_;
  std::multimap<std::string, std::string> metadata_ ABSL_GUARDED_BY(mutex_);
  absl::Duration time_left_ ABSL_GUARDED_BY(mutex_);
};

class TestEcho final : public echo::v1::EchoService::Service {
 public:
  // The payload "fail" gets an error with details and trailers, "wait" waits for cancellation,
  // "huge" gets 5 MiB, "fat" 30 KiB of trailers.
  grpc::Status Echo(grpc::ServerContext* context, const echo::v1::EchoRequest* request,
                    echo::v1::EchoResponse* response) override {
    Record(*context);
    if (request->payload() == "fail") return Failure(*context);
    if (request->payload() == "wait") return AwaitCancellation(*context);
    if (request->payload() == "fat") {
      context->AddTrailingMetadata("fat-bin", std::string(30 << 10, 'f'));
    }
    if (request->payload() == "huge") {
      response->set_payload(std::string(5 << 20, 'x'));
      return grpc::Status::OK;
    }
    response->set_payload(absl::AsciiStrToUpper(request->payload()));
    return grpc::Status::OK;
  }

  // Answers each request until the half-close; "fail" ends the stream with an error, "drop" forgets
  // the answer.
  grpc::Status Converse(grpc::ServerContext* context,
                        grpc::ServerReaderWriter<echo::v1::ConverseResponse,
                                                 echo::v1::ConverseRequest>* stream) override {
    Record(*context);
    stream->SendInitialMetadata();
    echo::v1::ConverseRequest request;
    echo::v1::ConverseResponse response;
    while (stream->Read(&request)) {
      if (request.payload() == "fail") return Failure(*context);
      if (request.payload() == "drop") continue;
      response.set_payload(absl::AsciiStrToUpper(request.payload()));
      if (!stream->Write(response)) break;
    }
    ++(context->IsCancelled() ? cancelled : half_closed);
    return grpc::Status::OK;
  }

  std::multimap<std::string, std::string> metadata() { return last_call_.metadata(); }
  absl::Duration time_left() { return last_call_.time_left(); }

  std::atomic<int> calls = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<int> half_closed = 0;

 private:
  void Record(grpc::ServerContext& context) {
    ++calls;
    context.AddInitialMetadata("answered-by", "test");
    context.AddTrailingMetadata("cost-bin", std::string("\x00\xff", 2));
    last_call_.Take(context);
  }

  static grpc::Status Failure(grpc::ServerContext& context) {
    context.AddTrailingMetadata("failed", "yes");
    return rpc::ToGrpc(FieldError("payload", "BAD_PAYLOAD", "no \xc3\xa9"));
  }

  grpc::Status AwaitCancellation(grpc::ServerContext& context) {
    while (!context.IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    ++cancelled;
    return grpc::Status::CANCELLED;
  }

  CallRecord last_call_;
};

class TestFile final : public file::v1::FileService::Service {
 public:
  // The answer's size is that of the data received. Reads nothing while it is `holding`.
  grpc::Status Upload(grpc::ServerContext* context,
                      grpc::ServerReader<file::v1::UploadRequest>* reader,
                      file::v1::UploadResponse* response) override {
    file::v1::UploadRequest request;
    uint64_t size = 0;
    while (holding && !context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    while (reader->Read(&request)) {
      size += request.data().size();
      received = size;
    }
    ++(context->IsCancelled() ? cancelled : half_closed);
    response->mutable_file()->set_size(size);
    return grpc::Status::OK;
  }

  // `length` messages of 64 KiB.
  grpc::Status Download(grpc::ServerContext*, const file::v1::DownloadRequest* request,
                        grpc::ServerWriter<file::v1::DownloadResponse>* writer) override {
    file::v1::DownloadResponse response;
    response.set_data(std::string(64 << 10, 'd'));
    for (uint64_t i = 0; i < request->length(); ++i) {
      if (!writer->Write(response)) break;
      ++written;
    }
    ++downloads_ended;
    return grpc::Status::OK;
  }

  std::atomic<bool> holding = false;
  std::atomic<uint64_t> received = 0;
  std::atomic<uint64_t> written = 0;
  std::atomic<int> cancelled = 0;
  std::atomic<int> half_closed = 0;
  std::atomic<int> downloads_ended = 0;
};

class TestChat final : public chat::v1::ChatService::Service {
 public:
  // One message, then nothing until it is cancelled.
  grpc::Status WatchMessages(grpc::ServerContext* context, const chat::v1::WatchMessagesRequest*,
                             grpc::ServerWriter<chat::v1::WatchMessagesResponse>* writer) override {
    chat::v1::WatchMessagesResponse response;
    response.set_caught_up(true);
    writer->Write(response);
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    ++cancelled;
    return grpc::Status::CANCELLED;
  }

  std::atomic<int> cancelled = 0;
};

// A server on a loopback port, until Stop() or the end.
class TestServer {
 public:
  explicit TestServer(const std::vector<grpc::Service*>& services, int port = 0) : port_(port) {
    grpc::ServerBuilder builder;
    builder.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);
    builder.AddListeningPort(absl::StrCat("127.0.0.1:", port), grpc::InsecureServerCredentials(),
                             &port_);
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
  }
  ~TestServer() { Stop(); }

  bool ok() const { return server_ != nullptr; }
  int port() const { return port_; }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  // As Service.address has it.
  std::string target() const { return absl::StrCat("ipv4:", address()); }
  // Cancels what is in progress, as a process that is killed does.
  void Stop() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

 private:
  int port_;
  std::unique_ptr<grpc::Server> server_;
};

inline std::shared_ptr<grpc::Channel> TestChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace rawgate::gateway
