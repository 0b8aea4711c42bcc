// What a command reads while it runs: bytes sent to its pipe or terminal as it takes them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "absl/status/status.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {

// Of one write.
inline constexpr size_t kInputBytesMax = 1 << 20;

// Loop thread. Shared with what is pending in the loop.
class CommandInput : public std::enable_shared_from_this<CommandInput> {
 public:
  // `writer` does not block: the write end of a pipe, or a terminal's other end.
  CommandInput(boost::asio::io_context& loop, Fd writer, bool terminal);

  using Done = std::function<void(const absl::Status&)>;
  // Writes `bytes`, and, if `end`, ends the input: closes the pipe, or sends the terminal's
  // end-of-file character. `done` is called when all has been taken, or never will be, and not from
  // within this call. `offset`, if given, is where the bytes belong. One call may wait behind
  // another. Errors: FAILED_PRECONDITION (STDIN_CLOSED), ABORTED (WRONG_OFFSET, STDIN_BUSY).
  void Write(std::string bytes, bool end, std::optional<uint64_t> offset, Done done);
  // What is being written fails with STDIN_CLOSED, and so does all that follows.
  void Close();

  bool open() const { return open_; }
  // Bytes taken.
  uint64_t size() const { return size_; }

 private:
  struct Request {
    std::string bytes;
    bool end = false;
    std::optional<uint64_t> offset;
    Done done;
  };

  void Begin();
  void WriteSome();
  void AppendEndOfFile();
  void Finish(const absl::Status& status);

  boost::asio::io_context& loop_;
  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> writer_;
  const bool terminal_;
  bool open_ = true;
  uint64_t size_ = 0;
  char last_ = '\n';
  // The first is being written.
  std::deque<Request> requests_;
  size_t written_ = 0;
  // Bytes taken before it, and of it without what ends the input.
  uint64_t before_ = 0;
  size_t counted_ = 0;
};

absl::Status StdinClosed();

}  // namespace rawgate::exec
