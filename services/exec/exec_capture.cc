#include "services/exec/exec_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;

// What a pipe holds unless told otherwise.
constexpr size_t kReadMax = 64 * 1024;
// Of a pipe whose output goes to a file: fewer and longer moves. It is the most that an ordinary
// user may ask for.
constexpr int kPipeSize = 1 << 20;
// Moved to the file by one task, after which others may have their turn.
constexpr uint64_t kMoveMax = 8 << 20;

}  // namespace

Capture::Capture(asio::io_context& loop, asio::thread_pool& disk, std::string spool_folder,
                 OutputBudget& budget, Output& output, std::shared_ptr<Events> events)
    : loop_(loop),
      disk_(disk),
      spool_folder_(std::move(spool_folder)),
      pipe_(loop.get_executor()),
      budget_(budget),
      output_(output),
      events_(std::move(events)) {}

void Capture::Start(Fd pipe) {
  unwatched_ = std::move(pipe);
  ReadSoon();
}

// Others have their turn before.
void Capture::ReadSoon() {
  asio::post(loop_, [self = shared_from_this()] {
    if (!self->closing_) self->OnReadable();
  });
}

void Capture::Wait() {
  if (unwatched_) {
    boost::system::error_code error;
    pipe_.assign(unwatched_.get(), error);
    if (error) return Full(ErrnoError(error.value(), "watching the output"));
    static_cast<void>(unwatched_.Release());
  }
  pipe_.async_wait(Pipe::wait_read, [self = shared_from_this()](const boost::system::error_code&) {
    if (!self->closing_) self->OnReadable();
  });
}

void Capture::OnReadable() {
  if (budget_.left == 0) {
    ReadBeyondBudget();
  } else if (output_.in_file()) {
    MoveOnDisk();
  } else {
    ReadToMemory();
  }
}

void Capture::ReadToMemory() {
  static thread_local std::array<char, kReadMax> buffer;
  const ssize_t n = ::read(pipe(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Wait();
  if (n <= 0) return Close();
  const auto size = static_cast<size_t>(n);
  const auto kept = static_cast<size_t>(std::min<uint64_t>(size, budget_.left));
  output_.Append(absl::string_view(buffer.data(), kept));
  budget_.left -= kept;
  events_->OnCaptured(*this);
  if (kept < size) return Full(absl::OkStatus());
  if (closing_) return;
  if (output_.size() > Output::kMemoryMax) return MoveToFile();
  ReadSoon();
}

void Capture::ReadBeyondBudget() {
  char byte;
  const ssize_t n = ::read(pipe(), &byte, 1);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Wait();
  if (n > 0) return Full(absl::OkStatus());
  Close();
}

void Capture::MoveToFile() {
  busy_ = true;
  fcntl(pipe(), F_SETPIPE_SZ, kPipeSize);
  asio::post(disk_, [self = shared_from_this()] {
    // Nothing is appended while busy_, so that this view stays good.
    auto file = MakeSpoolFile(self->spool_folder_, self->output_.memory());
    asio::post(self->loop_, [self, file = std::move(file)]() mutable {
      self->busy_ = false;
      const absl::Status made = file.status();
      if (file.ok()) self->output_.MoveToFile(*std::move(file));
      if (self->closing_) return std::exchange(self->closing_, false), self->Close();
      if (!made.ok()) return self->Full(made);
      self->Wait();
    });
  });
}

void Capture::MoveOnDisk() {
  busy_ = true;
  // Half at most: the other stream must not find the budget spent while this one may give some of
  // it back.
  const uint64_t reserved = std::min((budget_.left + 1) / 2, kMoveMax);
  budget_.left -= reserved;
  asio::post(disk_, [self = shared_from_this(), reserved, pipe = pipe(), file = output_.file(),
                     start = output_.size()] {
    Moved moved;
    while (moved.bytes < reserved) {
      auto offset = static_cast<loff_t>(start + moved.bytes);
      const ssize_t n =
          splice(pipe, nullptr, file, &offset, reserved - moved.bytes, SPLICE_F_NONBLOCK);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) moved.errno_value = errno;
      moved.end = n == 0;
      if (n <= 0) break;
      moved.bytes += static_cast<uint64_t>(n);
    }
    asio::post(self->loop_, [self, moved, reserved] { self->OnMoved(moved, reserved); });
  });
}

void Capture::OnMoved(const Moved& moved, uint64_t reserved) {
  busy_ = false;
  budget_.left += reserved - moved.bytes;
  output_.GrewInFile(moved.bytes);
  if (std::exchange(closing_, false)) Close();
  if (moved.bytes > 0) events_->OnCaptured(*this);
  if (closing_) return;
  if (moved.end) return Close();
  if (moved.errno_value != 0)
    return Full(ErrnoError(moved.errno_value, "output file in " + spool_folder_));
  Wait();
}

void Capture::Full(const absl::Status& error) {
  Close();
  events_->OnCaptureFull(*this, error);
}

void Capture::Close() {
  if (closing_) return;
  closing_ = true;
  if (busy_) return;
  boost::system::error_code ignored;
  pipe_.close(ignored);
  unwatched_.Reset();
  asio::post(loop_, [self = shared_from_this()] {
    self->closed_ = true;
    std::exchange(self->events_, nullptr)->OnCaptureClosed(*self);
  });
}

}  // namespace rawgate::exec
