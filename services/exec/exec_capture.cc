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
// What is let go of a file is so many bytes, or more, at once: whole blocks of any file system.
constexpr uint64_t kLetGoUnit = 1 << 20;

// Moves bytes from a pipe or a terminal to `offset` of a file. As of read(2).
ssize_t MoveSome(int from, int file, uint64_t offset, uint64_t max) {
  auto position = static_cast<loff_t>(offset);
  const ssize_t spliced = splice(from, nullptr, file, &position, max, SPLICE_F_NONBLOCK);
  if (spliced >= 0 || errno != EINVAL) return spliced;
  // A terminal cannot be spliced. It ends with EIO when nobody has it open any more.
  std::array<char, kReadMax> buffer;
  const ssize_t n = ::read(from, buffer.data(), std::min<uint64_t>(buffer.size(), max));
  if (n < 0 && errno == EIO) return 0;
  return n <= 0 ? n : pwrite(file, buffer.data(), static_cast<size_t>(n), position);
}

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
  const ssize_t n = ::read(native_handle(), buffer.data(), buffer.size());
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
  const ssize_t n = ::read(native_handle(), &byte, 1);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return Wait();
  if (n > 0) return Full(absl::OkStatus());
  Close();
}

void Capture::MoveToFile() {
  busy_ = true;
  fcntl(native_handle(), F_SETPIPE_SZ, kPipeSize);
  // What this belongs to may only go away on the loop thread, so each task hands it on.
  asio::post(disk_, [self = shared_from_this(), &loop = loop_]() mutable {
    // Nothing is appended while busy_, so that this view stays good.
    auto file = MakeSpoolFile(self->spool_folder_, self->output_.memory());
    asio::post(loop, [self = std::move(self), file = std::move(file)]() mutable {
      self->busy_ = false;
      const absl::Status made = file.status();
      if (file.ok()) self->output_.MoveToFile(*std::move(file));
      if (self->closing_) return std::exchange(self->closing_, false), self->Close();
      if (!made.ok()) return self->Full(made);
      self->Wait();
    });
  });
}

uint64_t Capture::MoveRoom() const {
  // Half of the budget at most: the other stream must not find it spent while this one may give
  // some of it back.
  const uint64_t budgeted = std::min((budget_.left + 1) / 2, kMoveMax);
  if (keep_last_ == kNobody || needed_ == kNobody || finishing_) return budgeted;
  const uint64_t end = needed_ + keep_last_;
  return end > output_.size() ? std::min(budgeted, end - output_.size()) : 0;
}

uint64_t Capture::LetGo() {
  if (output_.size() <= keep_last_) return 0;
  const uint64_t end = std::min(needed_, output_.size() - keep_last_) / kLetGoUnit * kLetGoUnit;
  if (end > output_.kept_from()) output_.LetGo(end);
  return output_.kept_from();
}

void Capture::MoveOnDisk() {
  const uint64_t reserved = MoveRoom();
  paused_ = reserved == 0;
  if (paused_) return;
  busy_ = true;
  budget_.left -= reserved;
  // Decided here, so that no reader can come for what is being taken away.
  const uint64_t gone_from = output_.kept_from();
  const uint64_t gone_to = LetGo();
  asio::post(disk_, [self = shared_from_this(), &loop = loop_, reserved, pipe = native_handle(),
                     file = output_.file(), start = output_.size(), gone_from, gone_to]() mutable {
    Moved moved;
    if (gone_to > gone_from &&
        fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(gone_from),
                  static_cast<off_t>(gone_to - gone_from)) < 0)
      moved.errno_value = errno;
    while (moved.errno_value == 0 && moved.bytes < reserved) {
      const ssize_t n = MoveSome(pipe, file, start + moved.bytes, reserved - moved.bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN) moved.errno_value = errno;
      moved.end = n == 0;
      if (n <= 0) break;
      moved.bytes += static_cast<uint64_t>(n);
    }
    asio::post(loop, [self = std::move(self), moved, reserved] { self->OnMoved(moved, reserved); });
  });
}

void Capture::Finish() {
  finishing_ = true;
  SetNeeded(needed_);
}

void Capture::SetNeeded(uint64_t offset) {
  needed_ = offset;
  if (!paused_ || closing_ || MoveRoom() == 0) return;
  paused_ = false;
  MoveOnDisk();
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
