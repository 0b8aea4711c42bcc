// FileService.Download.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "rawgate/file/v1/file_service.pb.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/stall_timer.h"
#include "runtime/rpc/stream_writer.h"
#include "services/file/disk_pool.h"
#include "services/file/file_core.h"
#include "services/file/file_progress.h"

namespace rawgate::file {

// One call: the pool reads as far ahead of the client as kQueueMax messages. Shared by the hooks of
// the writer and of the call, and by the piece of work on the pool, and gone with the last of them.
class DownloadCall final : public std::enable_shared_from_this<DownloadCall> {
 public:
  static grpc::ServerWriteReactor<v1::DownloadResponse>* Start(FileCore& core, DiskPool& disk,
                                                               observe::EventLog& events,
                                                               const v1::DownloadRequest& request,
                                                               absl::StatusOr<rpc::Call> call,
                                                               absl::Duration stall_timeout);

 private:
  static constexpr size_t kQueueMax = 2;

  DownloadCall(FileCore& core, DiskPool& disk, observe::EventLog& events, rpc::Call call)
      : core_(core), disk_(disk), events_(events), call_(std::move(call)) {}

  rpc::StreamWriter<v1::DownloadResponse>* Open();
  // Something is to be done: there is room, or the call is to end. Any thread.
  void Wake();
  // Why it is to end, if it is.
  absl::Status Interruption();
  // On the pool; one at a time.
  void Work();
  void Begin();
  // The rest of the call, until the queue is full.
  void Produce();
  void End(const absl::Status& outcome);

  FileCore& core_;
  DiskPool& disk_;
  observe::EventLog& events_;
  // Wakes not yet answered by Work().
  std::atomic<int> wakes_{0};
  absl::Mutex mutex_;
  absl::Status interruption_ ABSL_GUARDED_BY(mutex_);

  // Only Start() and Work().
  v1::DownloadRequest request_;
  // Null once it was told to finish.
  rpc::StreamWriter<v1::DownloadResponse>* writer_ = nullptr;
  // Both until the client has read all: those who do not are listed, and limited, as long.
  std::optional<rpc::Call> call_;
  std::optional<rpc::StallTimer> stall_;
  std::optional<FileDownload> download_;
  std::optional<Digester> digester_;
  std::optional<FileProgress> progress_;
};

}  // namespace rawgate::file
