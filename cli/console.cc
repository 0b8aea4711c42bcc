#include "cli/console.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// How long standard input may be idle before somebody should know.
constexpr int kIdleNoticeMs = 1000;

// A descriptor that we were given may be non-blocking: whoever shares it decides. False when
// nothing came of it within `timeout_ms`; -1 is for ever.
bool WaitFor(int fd, decltype(pollfd::events) events, int timeout_ms = -1) {
  pollfd waited{fd, events, 0};
  return ::poll(&waited, 1, timeout_ms) != 0;
}

int ColumnsOf(int fd) {
  winsize size{};
  if (::isatty(fd) != 1 || ::ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace

absl::Status WriteAll(int fd, absl::string_view bytes, absl::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      WaitFor(fd, POLLOUT);
    } else if (errno != EINTR) {
      return ErrnoError(errno, absl::StrCat("writing ", name));
    }
  }
  return absl::OkStatus();
}

bool Console::InputIsTerminal() const { return ::isatty(in_) == 1; }

bool Console::OutputIsTerminal() const { return ::isatty(out_) == 1; }

bool Console::ErrorIsTerminal() const { return ::isatty(error_) == 1; }

bool Console::OutputIsColored() const {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* no_color = std::getenv("NO_COLOR");
  // NOLINTNEXTLINE(concurrency-mt-unsafe): as above
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal == nullptr || absl::string_view(terminal) == "dumb";
  return colors_allowed_ && OutputIsTerminal() && !is_dumb &&
         (no_color == nullptr || *no_color == '\0');
}

int Console::Columns() const { return ColumnsOf(out_); }

int Console::ErrorColumns() const { return ColumnsOf(error_); }

absl::Status Console::Out(absl::string_view bytes) const {
  return WriteAll(out_, bytes, "standard output");
}

void Console::Error(absl::string_view bytes) const {
  WriteAll(error_, bytes, "standard error").IgnoreError();
}

absl::StatusOr<std::string> Console::Read(size_t most) const {
  std::string bytes(most, '\0');
  while (true) {
    const ssize_t count = ::read(in_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.resize(static_cast<size_t>(count));
      return bytes;
    }
    if (errno == EAGAIN) {
      WaitFor(in_, POLLIN);
    } else if (errno != EINTR) {
      return ErrnoError(errno, "reading standard input");
    }
  }
}

absl::StatusOr<std::string> Console::ReadAll(size_t limit,
                                             const std::function<void()>& on_wait) const {
  constexpr size_t kPiece = size_t{64} * 1024;
  std::string all;
  bool told = false;
  while (true) {
    if (!told && !WaitFor(in_, POLLIN, kIdleNoticeMs)) {
      told = true;
      on_wait();
    }
    absl::StatusOr<std::string> piece = Read(kPiece);
    if (!piece.ok()) return piece.status();
    if (piece->empty()) return all;
    if (piece->size() > limit - all.size()) {
      return rawgate::Error(absl::StatusCode::kResourceExhausted, "INPUT_TOO_LARGE",
                            absl::StrCat("standard input is longer than ", limit, " bytes"));
    }
    all += *piece;
  }
}

void FillStandardDescriptors() {
  // The lowest free descriptor is the one that open(2) takes.
  int fd = 0;
  while (fd >= 0 && fd <= 2) fd = ::open("/dev/null", O_RDONLY);
  if (fd > 2) ::close(fd);
}

}  // namespace rawgate::cli
