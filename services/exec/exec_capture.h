// Takes what comes out of one pipe of a command into an Output, within a budget. Small outputs are
// read on the loop thread; an output that goes to a file is moved there by a thread of `disk`, so
// that no disk ever holds the loop up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/thread_pool.hpp>

#include "runtime/base/fd.h"
#include "services/exec/exec_output.h"

namespace rawgate::exec {

// Bytes that a command may still write, all of its streams together.
struct OutputBudget {
  uint64_t left = 0;
};

// Loop thread. Shared by the process it belongs to and by what is pending in the loop or on `disk`.
class Capture : public std::enable_shared_from_this<Capture> {
 public:
  // Loop thread, never from within a call into the Capture.
  class Events {
   public:
    virtual ~Events() = default;
    // There is more in the Output.
    virtual void OnCaptured(Capture& capture) = 0;
    // The budget is spent and there would be more, or (`error` not OK) the file took no more.
    // Closed follows.
    virtual void OnCaptureFull(Capture& capture, const absl::Status& error) = 0;
    // End of file, or what Close() asked for: the Output does not change any more.
    virtual void OnCaptureClosed(Capture& capture) = 0;
  };

  // `loop` and `disk` outlive this object. `events` is held until OnCaptureClosed() and owns
  // `output` and `budget`.
  Capture(boost::asio::io_context& loop, boost::asio::thread_pool& disk, std::string spool_folder,
          OutputBudget& budget, Output& output, std::shared_ptr<Events> events);

  // Only the last `bytes` are kept, and what is needed: at least Output::kMemoryMax. Before
  // Start().
  void KeepLast(uint64_t bytes) { keep_last_ = bytes; }
  // Captures what comes out of `pipe`, a read end (or a terminal's other end) that does not block.
  void Start(Fd pipe);
  // The first byte that some reader has not read; kNobody when nobody reads. With KeepLast() no
  // more than that number of bytes is captured beyond it: the command waits for its slowest reader.
  static constexpr uint64_t kNobody = UINT64_MAX;
  void SetNeeded(uint64_t offset);
  // Reads no more. OnCaptureClosed() comes later unless it has come.
  void Close();
  bool closed() const { return closed_; }
  // Of the pipe; -1 when it is closed.
  int native_handle() { return unwatched_ ? unwatched_.get() : pipe_.native_handle(); }
  // Nothing writes any more: what is still in the pipe is captured, whatever readers need.
  void Finish();

 private:
  using Pipe = boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  struct Moved {
    uint64_t bytes = 0;
    bool end = false;
    int errno_value = 0;
  };

  void ReadSoon();
  void Wait();
  void OnReadable();
  void ReadToMemory();
  // Anything beyond the budget is too much; nothing is not.
  void ReadBeyondBudget();
  void MoveToFile();
  void MoveOnDisk();
  // The most that one task may move now; 0 when the readers have to go on first.
  uint64_t MoveRoom() const;
  // Decides what is no longer kept; returns where that ends.
  uint64_t LetGo();
  void OnMoved(const Moved& moved, uint64_t reserved);
  void Full(const absl::Status& error);

  boost::asio::io_context& loop_;
  boost::asio::thread_pool& disk_;
  const std::string spool_folder_;
  // The pipe is in the second once it had to be waited for, which short commands never need.
  Fd unwatched_;
  Pipe pipe_;
  OutputBudget& budget_;
  Output& output_;
  std::shared_ptr<Events> events_;
  uint64_t keep_last_ = kNobody;
  uint64_t needed_ = kNobody;
  // Until a reader goes on.
  bool paused_ = false;
  bool finishing_ = false;
  // A thread of `disk` uses the pipe and the output.
  bool busy_ = false;
  bool closing_ = false;
  bool closed_ = false;
};

}  // namespace rawgate::exec
