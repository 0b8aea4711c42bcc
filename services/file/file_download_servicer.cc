#include "services/file/file_download_servicer.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/rpc/status.h"
#include "services/file/file_proto_servicer.h"

namespace rawgate::file {

using Writer = rpc::StreamWriter<v1::DownloadResponse>;

grpc::ServerWriteReactor<v1::DownloadResponse>* DownloadCall::Start(
    FileCore& core, DiskPool& disk, observe::EventLog& events, const v1::DownloadRequest& request,
    absl::StatusOr<rpc::Call> call, absl::Duration stall_timeout) {
  if (!call.ok()) {
    auto* refusal = new Writer({});
    refusal->Finish(rpc::ToGrpc(call.status()));
    return refusal;
  }
  std::shared_ptr<DownloadCall> self(new DownloadCall(core, disk, events, *std::move(call)));
  self->request_ = request;
  self->stall_.emplace(*self->call_, stall_timeout);
  Writer* writer = self->Open();
  self->Wake();
  return writer;
}

Writer* DownloadCall::Open() {
  const auto interrupt = [self = shared_from_this()](const absl::Status& why) {
    {
      const absl::MutexLock lock(&self->mutex_);
      self->interruption_.Update(why);
    }
    self->Wake();
  };
  writer_ = new Writer(
      {.on_room = [self = shared_from_this()] { self->Wake(); },
       .on_cancel = [interrupt] { interrupt(absl::CancelledError("the client is gone")); },
       // After End(), so that nothing else touches these.
       .on_done =
           [self = shared_from_this()] {
             self->stall_.reset();
             self->call_.reset();
           }},
      kQueueMax);
  call_->OnEndRequested(interrupt);
  return writer_;
}

void DownloadCall::Wake() {
  if (wakes_.fetch_add(1) > 0) return;
  disk_.Post([self = shared_from_this()] { self->Work(); });
}

void DownloadCall::Work() {
  for (int answered = wakes_; answered > 0; answered = wakes_.fetch_sub(answered) - answered) {
    if (writer_ == nullptr) continue;
    if (const absl::Status why = Interruption(); !why.ok()) {
      End(why);
    } else if (!download_) {
      Begin();
    } else {
      Produce();
    }
  }
}

absl::Status DownloadCall::Interruption() {
  const absl::MutexLock lock(&mutex_);
  return interruption_;
}

void DownloadCall::Begin() {
  call_->Describe([&] {
    return absl::StrCat("download of \"", request_.filename(), "\" from ", request_.offset());
  });
  const absl::StatusOr<FileName> name = FileName::Parse(request_.filename());
  if (!name.ok()) return End(name.status());
  std::optional<uint64_t> length;
  if (request_.has_length()) length = request_.length();
  absl::StatusOr<FileDownload> download = core_.OpenDownload(*name, request_.offset(), length);
  if (!download.ok()) return End(download.status());
  download_.emplace(*std::move(download));
  digester_.emplace(DigestKinds{.sha256 = true});
  progress_.emplace(events_, rpc::kRpcListener, call_->id(), request_.filename(), false,
                    download_->length());

  v1::DownloadResponse response;
  v1::DownloadHeader& header = *response.mutable_header();
  *header.mutable_file() = ToProto(download_->info());
  header.set_offset(download_->offset());
  header.set_length(download_->length());
  if (writer_->Write(std::move(response))) Produce();
}

void DownloadCall::Produce() {
  stall_->ClientDid();
  while (download_->remaining() > 0) {
    if (const absl::Status why = Interruption(); !why.ok()) return End(why);
    v1::DownloadResponse response;
    std::string& data = *response.mutable_data();
    data.resize(static_cast<size_t>(std::min<uint64_t>(kChunkBytes, download_->remaining())));
    const auto read = download_->Read(std::span<char>(data.data(), data.size()));
    if (!read.ok()) return End(read.status());
    digester_->Update(data);
    call_->CountSent(data.size());
    progress_->Add(data.size());
    if (!writer_->Write(std::move(response))) return stall_->AwaitClient();
  }
  const absl::StatusOr<Digests> digests = digester_->Finish();
  if (!digests.ok()) return End(digests.status());
  v1::DownloadResponse response;
  response.mutable_trailer()->set_sha256(digests->sha256);
  // The last message; whether the queue is full now is of no interest.
  (void)writer_->Write(std::move(response));
  End(absl::OkStatus());
}

void DownloadCall::End(const absl::Status& outcome) {
  const grpc::Status status = call_->End(outcome);
  // What waits in the queue is still the client's to read.
  stall_->AwaitClient();
  // Kept by this object's hooks until the client is done: not the file.
  if (download_) download_->Close();
  std::exchange(writer_, nullptr)->Finish(status);
}

}  // namespace rawgate::file
