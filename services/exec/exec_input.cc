#include "services/exec/exec_input.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;

// The one being written, and one behind it.
constexpr size_t kRequestsMax = 2;

}  // namespace

absl::Status StdinClosed() {
  return Error(absl::StatusCode::kFailedPrecondition, "STDIN_CLOSED",
               "the command's standard input is closed");
}

CommandInput::CommandInput(asio::io_context& loop, Fd writer, bool terminal)
    : loop_(loop), writer_(loop.get_executor()), terminal_(terminal) {
  boost::system::error_code error;
  writer_.assign(writer.get(), error);
  if (!error) static_cast<void>(writer.Release());
  open_ = writer_.is_open();
}

void CommandInput::Write(std::string bytes, bool end, std::optional<uint64_t> offset, Done done) {
  absl::Status refusal;
  if (!open_) refusal = StdinClosed();
  if (refusal.ok() && requests_.size() == kRequestsMax)
    refusal = Error(absl::StatusCode::kAborted, "STDIN_BUSY", "others are writing");
  if (!refusal.ok()) return asio::post(loop_, [done = std::move(done), refusal] { done(refusal); });
  requests_.push_back({std::move(bytes), end, offset, std::move(done)});
  if (requests_.size() == 1) Begin();
}

void CommandInput::Begin() {
  asio::post(loop_, [self = shared_from_this()] {
    if (self->requests_.empty()) return;
    Request& request = self->requests_.front();
    self->written_ = 0;
    self->before_ = self->size_;
    self->counted_ = request.bytes.size();
    if (request.offset && *request.offset != self->size_) {
      return self->Finish(
          Error(absl::StatusCode::kAborted, "WRONG_OFFSET",
                absl::StrCat("the next byte of standard input has offset ", self->size_)));
    }
    if (!request.bytes.empty()) self->last_ = request.bytes.back();
    if (request.end && self->terminal_) self->AppendEndOfFile();
    self->WriteSome();
  });
}

// Within a line the first only sends what there is of it.
void CommandInput::AppendEndOfFile() {
  termios settings;
  if (tcgetattr(writer_.native_handle(), &settings) < 0) return;
  const auto end = static_cast<char>(settings.c_cc[VEOF]);
  requests_.front().bytes.append(last_ == '\n' ? 1 : 2, end);
}

void CommandInput::WriteSome() {
  while (!requests_.empty() && written_ < requests_.front().bytes.size()) {
    const std::string& bytes = requests_.front().bytes;
    const ssize_t n =
        ::write(writer_.native_handle(), bytes.data() + written_, bytes.size() - written_);
    if (n >= 0) {
      written_ += static_cast<size_t>(n);
      size_ = before_ + std::min(written_, counted_);
    } else if (errno == EAGAIN) {
      return writer_.async_wait(
          asio::posix::descriptor_base::wait_write,
          [self = shared_from_this()](const boost::system::error_code&) { self->WriteSome(); });
    } else if (errno != EINTR) {
      return Close();
    }
  }
  if (!requests_.empty()) Finish(absl::OkStatus());
}

void CommandInput::Finish(const absl::Status& status) {
  const Request request = std::move(requests_.front());
  requests_.pop_front();
  if (status.ok() && request.end) {
    Close();
  } else if (!requests_.empty()) {
    Begin();
  }
  request.done(status);
}

void CommandInput::Close() {
  open_ = false;
  boost::system::error_code ignored;
  writer_.close(ignored);
  for (Request& request : std::exchange(requests_, {}))
    asio::post(loop_, [done = std::move(request.done)] { done(StdinClosed()); });
}

}  // namespace rawgate::exec
