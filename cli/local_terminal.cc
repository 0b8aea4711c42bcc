#include "cli/local_terminal.h"

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cli/console.h"

namespace rawgate::cli {
namespace {

// Those that end a process unless somebody catches them, but for the ones that Interrupt takes.
constexpr std::array kEndingSignals = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGQUIT, SIGSEGV};

// The mode of before, and whose it is: -1 when there is nothing to restore. Signal handlers need
// them, so they are the process's; `mode_before` is set first.
termios mode_before;
std::atomic<int> raw_fd = -1;
// Where the terminal is told to leave the mode, -1 when it need not be, and how; that is set first.
std::atomic<int> leaving_fd = -1;
std::atomic<const char*> leaving_sequence = "";
static_assert(std::atomic<int>::is_always_lock_free);
static_assert(std::atomic<const char*>::is_always_lock_free);

// The brackets around what is pasted.
constexpr char kBrackets[] = "\x1b[?2004h";
constexpr char kNoBrackets[] = "\x1b[?2004l";
// Second screen, no cursor, no wrapping of lines (DECTCEM, DECAWM); and back.
constexpr char kSecondScreen[] = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
constexpr char kFirstScreen[] = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";

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
  const int out = leaving_fd.exchange(-1);
  const char* const sequence = leaving_sequence;
  if (out >= 0 && ::write(out, sequence, std::strlen(sequence)) < 0) return;
}

// The signal comes again when this returns, and ends the process.
void RestoreModeAndEnd(int signal) {
  RestoreMode();
  Handle(signal, SIG_DFL);
  ::raise(signal);
}

void RestoreModeAndStop(int) {
  const int error = errno;
  RestoreMode();
  ::raise(SIGSTOP);
  errno = error;
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
void ExchangeOf(int signal, void (*from)(int), void (*to)(int)) {
  struct sigaction action {};
  if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == from) Handle(signal, to);
}

void Exchange(void (*from)(int), void (*to)(int)) {
  for (const int signal : kEndingSignals) ExchangeOf(signal, from, to);
}

}  // namespace

LocalTerminal::LocalTerminal(int fd, Interrupt& interrupt) : fd_(fd), interrupt_(interrupt) {
  TakeSizeChange();
  Handle(SIGWINCH, NoteSizeChange);
  Handle(SIGCONT, NoteSizeChange);
}

LocalTerminal::~LocalTerminal() {
  RestoreMode();
  Exchange(RestoreModeAndEnd, SIG_DFL);
  Handle(SIGWINCH, SIG_DFL);
  Handle(SIGCONT, SIG_DFL);
  ExchangeOf(SIGTSTP, RestoreModeAndStop, SIG_DFL);
}

void LocalTerminal::EnterRawMode() {
  if (restored_ || ::tcgetattr(fd_, &mode_before) != 0) return;
  termios raw = mode_before;
  ::cfmakeraw(&raw);
  Enter(raw);
}

void LocalTerminal::MakePromptMode() {
  prompt_mode_ = mode_before;
  prompt_mode_.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | IEXTEN);
  // Ctrl-S would stop what is shown, and nobody remembers Ctrl-Q.
  prompt_mode_.c_iflag &= ~static_cast<tcflag_t>(IXON);
  ExchangeOf(SIGTSTP, SIG_DFL, RestoreModeAndStop);
}

void LocalTerminal::EnterPromptMode(int out) {
  if (restored_ || ::tcgetattr(fd_, &mode_before) != 0) return;
  MakePromptMode();
  out_ = out;
  entering_ = kBrackets;
  leaving_ = kNoBrackets;
  Enter(prompt_mode_);
}

void LocalTerminal::ReenterPromptMode() {
  if (raw_fd >= 0 || !restored_) return;
  Enter(prompt_mode_);
  if (interrupt_.signal() != 0) RestoreMode();
}

void LocalTerminal::EnterScreenMode(int out) {
  if (restored_ || ::tcgetattr(fd_, &mode_before) != 0) return;
  MakePromptMode();
  out_ = out;
  entering_ = kSecondScreen;
  leaving_ = kFirstScreen;
  draws_ = true;
  Enter(prompt_mode_);
}

bool LocalTerminal::ReenterScreenMode() {
  if (raw_fd >= 0 || !restored_ || drawing_ends_) return false;
  Enter(prompt_mode_);
  if (drawing_ends_) RestoreMode();
  return true;
}

absl::Status LocalTerminal::Draw(absl::string_view bytes) {
  absl::Status status;
  {
    const std::lock_guard lock(drawing_);
    if (raw_fd >= 0 && !drawing_ends_) status = WriteAll(out_, bytes, "the terminal");
  }
  if (drawing_ends_) RestoreMode();
  return status;
}

// On the signal's thread, which must not wait: for a terminal that does not take what is drawn, for
// one. Whoever draws just then restores the mode afterwards; nobody draws on the first screen.
void LocalTerminal::EndDrawing() {
  drawing_ends_ = true;
  const std::unique_lock lock(drawing_, std::try_to_lock);
  if (lock) RestoreMode();
}

void LocalTerminal::Enter(const termios& mode) {
  raw_fd = fd_;
  Exchange(SIG_DFL, RestoreModeAndEnd);
  termios entered = mode;
  entered.c_cc[VMIN] = 1;
  entered.c_cc[VTIME] = 0;
  // What was typed ahead is not thrown away.
  ::tcsetattr(fd_, TCSADRAIN, &entered);
  if (out_ >= 0) {
    leaving_sequence = leaving_;
    leaving_fd = out_;
    WriteAll(out_, entering_, "the terminal").IgnoreError();
  }
  // Last, since it restores at once when the signal has come already. The first signal does it and
  // not only the destructor, since a second one ends the process as it is.
  if (!restored_) {
    restored_.emplace(interrupt_, [this] { draws_ ? EndDrawing() : RestoreMode(); });
  }
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
