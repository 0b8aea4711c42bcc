#include "cli/call/bytes_call.h"

#include "absl/strings/str_cat.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace rawgate::cli {

BytesCall::BytesCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     grpc::ClientContext& context)
    : stub_(channel), path_(absl::StrCat("/", method)), context_(context) {
  stub_.PrepareBidiStreamingCall(&context_, path_, {}, this);
  // Reads and writes are started by other threads than the reactor's own, also when there is
  // nothing in progress; the hold keeps the end from being told before Finish() is called.
  AddHold();
  StartCall();
}

BytesCall::~BytesCall() {
  if (status_) return;
  context_.TryCancel();
  Finish();
}

bool BytesCall::Write(const google::protobuf::Message& message) {
  bool own = false;
  if (!grpc::SerializationTraits<google::protobuf::Message>::Serialize(message, &written_, &own)
           .ok()) {
    return false;
  }
  StartWrite(&written_);
  return Take(write_done_);
}

void BytesCall::WritesDone() {
  StartWritesDone();
  Take(write_done_);
}

bool BytesCall::Read(google::protobuf::Message& message) {
  StartRead(&read_);
  if (!Take(read_done_)) return false;
  message.Clear();
  if (grpc::SerializationTraits<google::protobuf::Message>::Deserialize(&read_, &message).ok()) {
    return true;
  }
  malformed_ = true;
  context_.TryCancel();
  return false;
}

grpc::Status BytesCall::Finish() {
  std::unique_lock lock(mutex_);
  if (!status_) {
    lock.unlock();
    RemoveHold();
    lock.lock();
    changed_.wait(lock, [this] { return status_.has_value(); });
  }
  if (malformed_) {
    return {grpc::StatusCode::INTERNAL, "an answer is no message of the type that was announced"};
  }
  return *status_;
}

void BytesCall::OnReadDone(bool ok) { Put(read_done_, ok); }
void BytesCall::OnWriteDone(bool ok) { Put(write_done_, ok); }
void BytesCall::OnWritesDoneDone(bool ok) { Put(write_done_, ok); }

void BytesCall::OnDone(const grpc::Status& status) {
  // Under the lock: whoever waits may destroy this object as soon as it has it.
  const std::scoped_lock lock(mutex_);
  status_ = status;
  changed_.notify_all();
}

bool BytesCall::Take(std::optional<bool>& what) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&what] { return what.has_value(); });
  const bool value = *what;
  what.reset();
  return value;
}

void BytesCall::Put(std::optional<bool>& what, bool value) {
  const std::scoped_lock lock(mutex_);
  what = value;
  changed_.notify_all();
}

}  // namespace rawgate::cli
