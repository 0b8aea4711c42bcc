// How far the transfers of one command are: on one line of a terminal that is written over, below
// what they print meanwhile.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "cli/console.h"
#include "cli/progress_line.h"
#include "cli/smooth_rate.h"

namespace rawgate::cli {

// Any thread. The line is there only when standard error is a terminal and nobody asked for quiet.
class TransferProgress {
 public:
  // One file's transfer, from when its size is known to its end. One thread at a time.
  class File {
   public:
    // `planned` bytes of it were expected.
    File(TransferProgress& progress, uint64_t planned);
    // What did not pass is not expected any more.
    ~File();
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    // It has `size` bytes after all.
    void SetSize(uint64_t size);
    // The first `position` bytes were there already.
    void ResumeAt(uint64_t position);
    // The first `position` bytes are there; that may be less than before.
    void MoveTo(uint64_t position);

   private:
    TransferProgress& progress_;
    uint64_t size_;
    uint64_t resumed_ = 0;
    uint64_t position_ = 0;
  };

  // `name` is shown when there is one transfer only.
  TransferProgress(const Console& console, bool quiet, uint64_t files, uint64_t bytes,
                   std::string name);
  // Clears the line.
  ~TransferProgress();
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  // To standard output, above the line. Errors: those of Console::Out.
  absl::Status Print(absl::string_view lines);
  // To standard error, above the line, quiet or not.
  void Tell(absl::string_view lines);
  // As Tell(), unless quiet.
  void Note(absl::string_view lines);

  // Bytes that have passed.
  uint64_t moved() const { return done_ - resumed_; }

 private:
  void DrawUntilDone();
  void Draw() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the line away while something else is written to the terminal.
  template <typename Write>
  void Above(bool to_terminal, Write write);

  const Console& console_;
  const bool quiet_;
  const bool shown_;
  const std::string name_;
  const uint64_t files_;
  std::atomic<uint64_t> files_done_ = 0;
  std::atomic<uint64_t> total_;
  std::atomic<uint64_t> done_ = 0;
  std::atomic<uint64_t> resumed_ = 0;

  absl::Mutex mutex_;
  // Empty when none is on the terminal.
  std::string line_ ABSL_GUARDED_BY(mutex_);
  SmoothRate rate_ ABSL_GUARDED_BY(mutex_);
  absl::Notification finished_;
  std::jthread drawer_;
};

}  // namespace rawgate::cli
