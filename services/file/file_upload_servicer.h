// FileService.Upload.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "rawgate/file/v1/file_service.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/stall_timer.h"
#include "services/file/disk_pool.h"
#include "services/file/file_core.h"
#include "services/file/file_progress.h"

namespace rawgate::file {

// One call. gRPC's threads bring messages, the pool stores them, at most kQueueMax of them between
// the two. Deletes itself.
class UploadCall final : public grpc::ServerReadReactor<grpc::ByteBuffer> {
 public:
  struct Parts {
    FileCore& core;
    DiskPool& disk;
    observe::EventLog& events;
    grpc::CallbackServerContext& context;
    // An UploadResponse.
    grpc::ByteBuffer& response;
    // A client that sends nothing for so long is given up.
    absl::Duration stall_timeout;
  };
  UploadCall(const Parts& parts, absl::StatusOr<rpc::Call> call);

 private:
  // One message is received while another is stored.
  static constexpr size_t kQueueMax = 2;

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }
  void OnEndRequested(const absl::Status& why);
  // The next message into incoming_.
  void Read();

  // Stores what is queued. On the pool; one at a time.
  void Work();
  enum class Step {
    kMessage,
    kWait,  // OnReadDone() goes on
    kEnd,   // all that was sent is stored, or the call was interrupted
  };
  Step Next(v1::UploadRequest* message);
  absl::Status Take(const v1::UploadRequest& message);
  absl::Status Begin(const v1::UploadStart& start);
  absl::Status Append(const std::string& data);
  absl::Status Complete();
  // The last that is done on the pool; this object may be gone when it returns.
  void End(const absl::Status& outcome);

  const Parts parts_;
  std::optional<rpc::Call> call_;
  std::optional<rpc::StallTimer> stall_;
  grpc::ByteBuffer incoming_;

  // Only Work().
  std::unique_ptr<FileUpload> upload_;
  // Of `finish`: nothing more is read.
  std::optional<Digests> finish_;
  // Nothing was to be done: what else is sent does not matter.
  std::optional<FileInfo> stored_;
  std::optional<FileProgress> progress_;

  // Not held when anything of the base class is called: reactions may run inside.
  absl::Mutex mutex_;
  std::deque<v1::UploadRequest> queue_ ABSL_GUARDED_BY(mutex_);
  bool reading_ ABSL_GUARDED_BY(mutex_) = true;
  bool working_ ABSL_GUARDED_BY(mutex_) = false;
  // The client has ended: half-close, cancellation, or gone.
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  // Why the call is to end before the client has ended, if it is.
  absl::Status interruption_ ABSL_GUARDED_BY(mutex_);
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace rawgate::file
