#include "cli/local_terminal.h"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

namespace rawgate::cli {
namespace {

// Those that end a process unless somebody catches them, but for the ones that Interrupt takes.
constexpr std::array kEndingSignals = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGQUIT, SIGSEGV};

// The mode of before, and whose it is: -1 when there is nothing to restore. Signal handlers need
// them, so they are the process's; `mode_before` is set first.
termios mode_before;
std::atomic<int> raw_fd = -1;
static_assert(std::atomic<int>::is_always_lock_free);

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // Nothing that waits need know of the signal.
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

// May be called by a signal handler. At once rather than after the output: that could wait.
void RestoreMode() {
  const int fd = raw_fd.exchange(-1);
  if (fd >= 0) ::tcsetattr(fd, TCSANOW, &mode_before);
}

// The signal comes again when this returns, and ends the process.
void RestoreModeAndEnd(int signal) {
  RestoreMode();
  Handle(signal, SIG_DFL);
  ::raise(signal);
}

// Never closed: a handler may run on another thread when nobody wants to know any more.
int SizeChanged() {
  static const int kFd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return kFd;
}

void NoteSizeChange(int) {
  const int error = errno;
  ::eventfd_write(SizeChanged(), 1);
  errno = error;
}

// Exchanges one handler for another; whoever has set one of their own keeps it.
void Exchange(void (*from)(int), void (*to)(int)) {
  for (const int signal : kEndingSignals) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == from) {
      Handle(signal, to);
    }
  }
}

}  // namespace

LocalTerminal::LocalTerminal(int fd, Interrupt& interrupt) : fd_(fd), interrupt_(interrupt) {
  TakeSizeChange();
  Handle(SIGWINCH, NoteSizeChange);
}

LocalTerminal::~LocalTerminal() {
  RestoreMode();
  Exchange(RestoreModeAndEnd, SIG_DFL);
  Handle(SIGWINCH, SIG_DFL);
}

void LocalTerminal::EnterRawMode() {
  if (restored_ || ::tcgetattr(fd_, &mode_before) != 0) return;
  raw_fd = fd_;
  Exchange(SIG_DFL, RestoreModeAndEnd);
  termios raw = mode_before;
  ::cfmakeraw(&raw);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  // What was typed ahead is not thrown away.
  ::tcsetattr(fd_, TCSADRAIN, &raw);
  // Last, since it restores at once when the signal has come already. The first signal does it and
  // not only the destructor, since a second one ends the process as it is.
  restored_.emplace(interrupt_, RestoreMode);
}

exec::v1::WindowSize LocalTerminal::Size() const {
  exec::v1::WindowSize result;
  winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) == 0) {
    result.set_rows(size.ws_row);
    result.set_columns(size.ws_col);
  }
  return result;
}

int LocalTerminal::size_changed() const { return SizeChanged(); }

void LocalTerminal::TakeSizeChange() {
  eventfd_t changes = 0;
  ::eventfd_read(SizeChanged(), &changes);
}

}  // namespace rawgate::cli
