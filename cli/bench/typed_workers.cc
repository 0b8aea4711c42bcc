#include "cli/bench/typed_workers.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/bench/raw_protocol.h"
#include "cli/proto_text.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "rawgate/file/v1/file_service.grpc.pb.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

// As long as any of these calls may take.
constexpr auto kDeadline = std::chrono::seconds(30);
// What FileService takes in one message at the most is more.
constexpr size_t kChunk = 256 << 10;

// Calls by a stub, which another thread may cancel.
template <typename Service>
class Caller : public BlockingWorker {
 public:
  explicit Caller(const LoadChannel& channel) : stub_(Service::NewStub(channel)) {}

 protected:
  using Stub = typename Service::Stub;
  using Result = absl::StatusOr<Bytes>;

  virtual Result Call(Stub& stub, grpc::ClientContext& context) = 0;

 private:
  Result Request(uint64_t) final {
    {
      const std::scoped_lock lock(mutex_);
      if (cancelled()) return absl::CancelledError("cancelled");
      context_.emplace();
    }
    context_->set_deadline(std::chrono::system_clock::now() + kDeadline);
    Result result = Call(*stub_, *context_);
    const std::scoped_lock lock(mutex_);
    context_.reset();
    return result;
  }
  void CancelRequest() final {
    const std::scoped_lock lock(mutex_);
    if (context_) context_->TryCancel();
  }

  const std::unique_ptr<Stub> stub_;
  std::mutex mutex_;
  // Of the call in progress.
  std::optional<grpc::ClientContext> context_;
};

class EchoCaller final : public Caller<echo::v1::EchoService> {
 public:
  EchoCaller(const LoadChannel& channel, size_t size) : Caller(channel) {
    request_.set_payload(Letters(size));
  }

 private:
  Result Call(Stub& stub, grpc::ClientContext& context) override {
    const grpc::Status status = stub.Echo(&context, request_, &response_);
    if (!status.ok()) return rpc::FromGrpc(status);
    return Bytes{request_.payload().size(), response_.payload().size()};
  }

  echo::v1::EchoRequest request_;
  echo::v1::EchoResponse response_;
};

class TimeCaller final : public Caller<time::v1::TimeService> {
 public:
  using Caller::Caller;

 private:
  Result Call(Stub& stub, grpc::ClientContext& context) override {
    time::v1::GetTimeResponse response;
    const grpc::Status status = stub.GetTime(&context, {}, &response);
    if (!status.ok()) return rpc::FromGrpc(status);
    return Bytes{0, response.formatted().size()};
  }
};

class ExecCaller final : public Caller<exec::v1::ExecService> {
 public:
  ExecCaller(const LoadChannel& channel, const std::string& command) : Caller(channel) {
    request_.set_shell_command(command);
  }

 private:
  Result Call(Stub& stub, grpc::ClientContext& context) override {
    const auto reader = stub.Run(&context, request_);
    exec::v1::RunResponse response;
    exec::v1::Outcome outcome;
    Bytes bytes{request_.shell_command().size(), 0};
    while (reader->Read(&response)) {
      bytes.received += response.output().data().size();
      if (response.has_outcome()) outcome = response.outcome();
    }
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return rpc::FromGrpc(status);
    if (outcome.has_exited() && outcome.exited().code() == 0) return bytes;
    const std::string name = OutcomeName(outcome);
    return Error(absl::StatusCode::kUnknown,
                 absl::AsciiStrToUpper(absl::StrReplaceAll(name, {{" ", "_"}})),
                 absl::StrCat("the command ", name));
  }

  exec::v1::RunRequest request_;
};

class UploadCaller final : public Caller<file::v1::FileService> {
 public:
  UploadCaller(const LoadChannel& channel, std::string filename, size_t size)
      : Caller(channel), filename_(std::move(filename)), content_(Letters(size)) {}

 private:
  Result Call(Stub& stub, grpc::ClientContext& context) override {
    file::v1::UploadResponse response;
    const auto writer = stub.Upload(&context, &response);
    file::v1::UploadRequest request;
    request.mutable_start()->set_filename(filename_);
    request.mutable_start()->set_size(content_.size());
    bool taken = writer->Write(request);
    for (size_t offset = 0; taken && offset < content_.size(); offset += kChunk) {
      request.set_data(content_.substr(offset, kChunk));
      taken = writer->Write(request);
    }
    if (taken) writer->WritesDone();
    const grpc::Status status = writer->Finish();
    if (!status.ok()) return rpc::FromGrpc(status);
    return Bytes{content_.size(), 0};
  }

  const std::string filename_;
  const std::string content_;
};

class DownloadCaller final : public Caller<file::v1::FileService> {
 public:
  DownloadCaller(const LoadChannel& channel, const std::string& filename) : Caller(channel) {
    request_.set_filename(filename);
  }

 private:
  Result Call(Stub& stub, grpc::ClientContext& context) override {
    const auto reader = stub.Download(&context, request_);
    file::v1::DownloadResponse response;
    Bytes bytes;
    while (reader->Read(&response)) bytes.received += response.data().size();
    const grpc::Status status = reader->Finish();
    if (!status.ok()) return rpc::FromGrpc(status);
    return bytes;
  }

  file::v1::DownloadRequest request_;
};

}  // namespace

std::unique_ptr<LoadWorker> MakeEchoCaller(const LoadChannel& channel, size_t size) {
  return std::make_unique<EchoCaller>(channel, size);
}
std::unique_ptr<LoadWorker> MakeTimeCaller(const LoadChannel& channel) {
  return std::make_unique<TimeCaller>(channel);
}
std::unique_ptr<LoadWorker> MakeExecCaller(const LoadChannel& channel, const std::string& command) {
  return std::make_unique<ExecCaller>(channel, command);
}
std::unique_ptr<LoadWorker> MakeUploadCaller(const LoadChannel& channel,
                                             const std::string& filename, size_t size) {
  return std::make_unique<UploadCaller>(channel, filename, size);
}
std::unique_ptr<LoadWorker> MakeDownloadCaller(const LoadChannel& channel,
                                               const std::string& filename) {
  return std::make_unique<DownloadCaller>(channel, filename);
}

}  // namespace rawgate::cli
