#include "cli/input_sender.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <iterator>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/base/status.h"

namespace rawgate::cli {

InputSender::InputSender(Stream& stream, grpc::ClientContext& call, const Console& console,
                         LocalTerminal* terminal)
    : stream_(stream),
      call_(call),
      console_(console),
      terminal_(terminal),
      stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void InputSender::Start() {
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

absl::Status InputSender::Stop() {
  ::eventfd_write(stop_.get(), 1);
  if (thread_.joinable()) thread_.join();
  return status_;
}

void InputSender::Run() {
  // poll(2) passes over what is negative.
  const int size_changed = terminal_ != nullptr ? terminal_->size_changed() : -1;
  pollfd waited[] = {
      {stop_.get(), POLLIN, 0}, {size_changed, POLLIN, 0}, {console_.in(), POLLIN, 0}};
  bool more = true;
  while (more) {
    if (::poll(waited, std::size(waited), -1) < 0) {
      if (errno == EINTR) continue;
      status_ = ErrnoError(errno, "waiting for standard input");
      break;
    }
    if (waited[0].revents != 0) return;
    if (waited[1].revents != 0) more = SendSize();
    if (more && waited[2].revents != 0) more = SendInput();
  }
  if (!status_.ok()) call_.TryCancel();
}

bool InputSender::SendInput() {
  constexpr size_t kPiece = size_t{64} * 1024;
  absl::StatusOr<std::string> bytes = console_.Read(kPiece);
  if (!bytes.ok()) {
    status_ = bytes.status();
    return false;
  }
  if (bytes->empty()) {
    stream_.WritesDone();
    return false;
  }
  exec::v1::InteractRequest request;
  request.set_stdin(*std::move(bytes));
  // Where the call has ended, whoever reads the stream is told why.
  return stream_.Write(request);
}

bool InputSender::SendSize() {
  terminal_->TakeSizeChange();
  exec::v1::InteractRequest request;
  *request.mutable_resize() = terminal_->Size();
  return stream_.Write(request);
}

}  // namespace rawgate::cli
