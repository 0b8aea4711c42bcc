#include "services/file/file_upload_servicer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "runtime/rpc/raw_message.h"
#include "runtime/rpc/status.h"
#include "services/file/file_proto_servicer.h"

namespace rawgate::file {

UploadCall::UploadCall(const Parts& parts, absl::StatusOr<rpc::Call> call) : parts_(parts) {
  if (!call.ok()) {
    Finish(rpc::ToGrpc(call.status()));
    return;
  }
  call_.emplace(*std::move(call));
  stall_.emplace(*call_, parts.stall_timeout);
  Read();
  // Last: from here on Work() may run.
  call_->OnEndRequested([this](const absl::Status& why) { OnEndRequested(why); });
}

void UploadCall::OnEndRequested(const absl::Status& why) {
  {
    const absl::MutexLock lock(&mutex_);
    interruption_.Update(why);
    if (std::exchange(working_, true)) return;
  }
  parts_.disk.Post([this] { Work(); });
}

void UploadCall::Read() {
  stall_->AwaitClient();
  StartRead(&incoming_);
}

void UploadCall::OnReadDone(bool ok) {
  v1::UploadRequest message;
  const absl::Status parsed = ok ? rpc::Parse(&incoming_, &message) : absl::OkStatus();
  bool work = false;
  {
    const absl::MutexLock lock(&mutex_);
    reading_ = false;
    if (finished_) return;
    stall_->ClientDid();
    if (!ok) {
      ended_ = true;
    } else if (!parsed.ok()) {
      interruption_.Update(parsed);
    } else {
      queue_.push_back(std::move(message));
      reading_ = queue_.size() < kQueueMax;
    }
    ok = reading_;
    work = !std::exchange(working_, true);
    if (ok) stall_->AwaitClient();
  }
  if (work) parts_.disk.Post([this] { Work(); });
  // Should Work() have finished the call by now, this read merely fails: the call, and this object,
  // last as long as this reaction.
  if (ok) StartRead(&incoming_);
}

void UploadCall::Work() {
  v1::UploadRequest message;
  for (;;) {
    switch (Next(&message)) {
      case Step::kMessage:
        if (absl::Status taken = Take(message); !taken.ok()) return End(taken);
        if (stored_ || finish_) return End(Complete());
        break;
      case Step::kWait:
        return;
      case Step::kEnd:
        return End(Complete());
    }
  }
}

UploadCall::Step UploadCall::Next(v1::UploadRequest* message) {
  bool read = false;
  {
    const absl::MutexLock lock(&mutex_);
    if (!interruption_.ok()) return Step::kEnd;
    if (queue_.empty()) {
      working_ = ended_;
      return ended_ ? Step::kEnd : Step::kWait;
    }
    *message = std::move(queue_.front());
    queue_.pop_front();
    read = !reading_ && !ended_;
    reading_ = reading_ || read;
  }
  if (read) Read();
  return Step::kMessage;
}

absl::Status UploadCall::Take(const v1::UploadRequest& message) {
  if (message.has_start()) return Begin(message.start());
  if (upload_ == nullptr) {
    return FieldError("start", "UPLOAD_START_MISSING", "an upload begins with a start message");
  }
  if (!message.has_finish()) return Append(message.data());
  absl::StatusOr<Digests> expected = ToDigests(message.finish().expected(), "finish.expected");
  if (!expected.ok()) return expected.status();
  finish_ = *std::move(expected);
  return absl::OkStatus();
}

absl::Status UploadCall::Append(const std::string& data) {
  if (absl::Status size = CheckChunkSize(data.size()); !size.ok()) return size;
  call_->CountReceived(data.size());
  if (absl::Status stored = upload_->Append(data); !stored.ok())
    return InField("start", std::move(stored));
  progress_->Add(data.size());
  return absl::OkStatus();
}

absl::Status UploadCall::Begin(const v1::UploadStart& start) {
  if (upload_ != nullptr) {
    return FieldError("start", "UPLOAD_START_REPEATED", "an upload has one start message");
  }
  absl::StatusOr<UploadSpec> spec = ToUploadSpec(start);
  if (!spec.ok()) return spec.status();
  call_->Describe([&] {
    return absl::StrCat("upload of \"", start.filename(), "\", ", start.size(), " bytes");
  });
  stored_ = parts_.core.FindStored(*spec);
  if (stored_) return absl::OkStatus();
  progress_.emplace(parts_.events, rpc::kRpcListener, call_->id(), start.filename(), true,
                    start.size(), start.offset());
  auto begun = parts_.core.BeginUpload(*std::move(spec));
  if (!begun.ok()) return InField("start", begun.status());
  upload_ = *std::move(begun);
  return absl::OkStatus();
}

absl::Status UploadCall::Complete() {
  {
    const absl::MutexLock lock(&mutex_);
    if (!interruption_.ok()) return interruption_;
  }
  // A client that gave up must not find its file stored.
  if (parts_.context.IsCancelled()) return absl::CancelledError("the client is gone");
  if (upload_ == nullptr && !stored_) {
    return FieldError("start", "UPLOAD_START_MISSING", "an upload begins with a start message");
  }
  absl::StatusOr<FileInfo> info = stored_ ? *stored_ : upload_->Commit(finish_.value_or(Digests()));
  if (!info.ok()) return InField("start", info.status());
  v1::UploadResponse response;
  *response.mutable_file() = ToProto(*info);
  parts_.response = rpc::Serialize(response);
  return absl::OkStatus();
}

void UploadCall::End(const absl::Status& outcome) {
  upload_.reset();
  const grpc::Status status = call_->End(outcome);
  {
    const absl::MutexLock lock(&mutex_);
    finished_ = true;
    queue_.clear();
  }
  // With no lock held: both wait for what is being asked of this call, which takes it.
  stall_.reset();
  call_.reset();
  // A read in progress, if any, ends with the call; OnDone() comes after it.
  Finish(status);
}

}  // namespace rawgate::file
