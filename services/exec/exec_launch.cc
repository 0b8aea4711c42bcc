#include "services/exec/exec_launch.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "services/exec/exec_bubblewrap.h"

namespace rawgate::exec {
namespace {

// Fills the texts of a block, one after another.
class TextWriter {
 public:
  explicit TextWriter(LaunchBlock& block) : block_(block) {}

  // False when there is no room left.
  bool Add(absl::string_view text) {
    if (text.size() >= kLaunchTextMax - used_) return false;
    std::copy(text.begin(), text.end(), block_.text + used_);
    block_.text[used_ + text.size()] = '\0';
    used_ += text.size() + 1;
    return true;
  }

 private:
  LaunchBlock& block_;
  size_t used_ = 0;
};

void AddLimit(LaunchBlock* block, int resource, uint64_t value, bool hard_too) {
  block->limits[block->limits_count++] = {resource, hard_too ? 1u : 0u, value};
}

void WriteIdentity(const Identity& identity, LaunchBlock* block) {
  block->change_user = identity.change ? 1 : 0;
  block->user = identity.user;
  block->group = identity.group;
  block->groups_count =
      static_cast<uint32_t>(std::min<size_t>(identity.groups.size(), kLaunchSupplementaryMax));
  std::copy_n(identity.groups.begin(), block->groups_count, block->groups);
}

void WriteLimits(const Launch& launch, LaunchBlock* block) {
  const ResourceLimits& limits = launch.limits;
  block->limits_count = 0;
  AddLimit(block, RLIMIT_CORE, 0, /*hard_too=*/true);
  if (limits.open_files != 0) {
    AddLimit(block, RLIMIT_NOFILE, limits.open_files, /*hard_too=*/true);
  } else {
    AddLimit(block, RLIMIT_NOFILE, kOpenFilesSoft, /*hard_too=*/false);
  }
  // The limit counts all processes of a user: an ordinary user's desktop may be beyond any number
  // chosen here.
  const bool crowded = !launch.identity.change || launch.identity.user == 0;
  if (limits.processes != 0 || !crowded) {
    AddLimit(block, RLIMIT_NPROC, limits.processes != 0 ? limits.processes : kProcessesMax,
             /*hard_too=*/true);
  }
  if (limits.address_space_bytes != 0)
    AddLimit(block, RLIMIT_AS, limits.address_space_bytes, /*hard_too=*/true);
  if (limits.file_size_bytes != 0)
    AddLimit(block, RLIMIT_FSIZE, limits.file_size_bytes, /*hard_too=*/true);
  if (limits.cpu_seconds != 0) {
    // SIGXCPU tells what happened, where SIGKILL, a second later, would not.
    AddLimit(block, RLIMIT_CPU, limits.cpu_seconds + 1, /*hard_too=*/true);
    AddLimit(block, RLIMIT_CPU, limits.cpu_seconds, /*hard_too=*/false);
  }
}

LaunchFourth FourthOf(Sandbox sandbox) {
  switch (sandbox) {
    case Sandbox::kNone:
      break;
    case Sandbox::kLandlock:
      return LaunchFourth::kRuleset;
    case Sandbox::kBubblewrap:
      return LaunchFourth::kInner;
  }
  return LaunchFourth::kNone;
}

struct Pipe {
  Fd read;
  Fd write;

  enum Ours { kReaderIsOurs, kWriterIsOurs };

  // Our end does not block. False with errno set.
  bool Open(Ours ours) {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) < 0) return false;
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    return fcntl(ends[ours], F_SETFL, O_NONBLOCK) == 0;
  }
};

// A sealed file in memory that holds `bytes`, at its beginning. Empty with errno set when there is
// no room.
Fd InputFile(absl::string_view bytes) {
  Fd file(memfd_create("stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return Fd();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0) return Fd();
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  lseek(file.get(), 0, SEEK_SET);
  fcntl(file.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  return file;
}

}  // namespace

int WriteLaunch(const Launch& launch, LaunchBlock* block) {
  if (launch.argv.size() > kLaunchArgumentsMax || launch.environment.size() > kLaunchEnvironmentMax)
    return E2BIG;
  WriteIdentity(launch.identity, block);
  WriteLimits(launch, block);
  block->terminal = launch.terminal ? 1 : 0;
  block->fourth = FourthOf(launch.sandbox);

  block->arguments_count = static_cast<uint32_t>(launch.argv.size());
  block->environment_count = static_cast<uint32_t>(launch.environment.size());
  TextWriter text(*block);
  bool fits = text.Add(launch.folder);
  for (const std::string& argument : launch.argv) fits = fits && text.Add(argument);
  for (const std::string& variable : launch.environment) fits = fits && text.Add(variable);
  return fits ? 0 : E2BIG;
}

int CommandStreams::Open(const Launch& launch) {
  const int error =
      launch.terminal ? OpenTerminal(*launch.terminal, launch.identity) : OpenPipes(launch);
  return error != 0 ? error : OpenFourth(launch);
}

int CommandStreams::OpenFourth(const Launch& launch) {
  switch (FourthOf(launch.sandbox)) {
    case LaunchFourth::kNone:
      return 0;
    case LaunchFourth::kRuleset:
      fourth = LandlockFor(launch.own_folder);
      return fourth ? 0 : errno;
    case LaunchFourth::kInner:
      fourth = InnerMemory(launch.inner_environment);
      return fourth ? 0 : errno;
  }
  return EINVAL;
}

int CommandStreams::OpenPipes(const Launch& launch) {
  const Identity& identity = launch.identity;
  Pipe in;
  Pipe out;
  Pipe err;
  if (!out.Open(Pipe::kReaderIsOurs) || !err.Open(Pipe::kReaderIsOurs)) return errno;
  if (launch.input_stays_open) {
    if (!in.Open(Pipe::kWriterIsOurs)) return errno;
    input = std::move(in.read);
    input_writer = std::move(in.write);
  } else if (!launch.input.empty()) {
    input = InputFile(launch.input);
    if (!input) return errno;
  }
  // So that the command can open what it was given, as /dev/stderr; it may be another user's.
  if (identity.change) {
    for (const int end : {out.write.get(), err.write.get(), input.get()}) {
      if (end >= 0 && fchown(end, identity.user, identity.group) < 0) return errno;
    }
  }
  output = std::move(out.write);
  output_reader = std::move(out.read);
  error_output = std::move(err.write);
  error_output_reader = std::move(err.read);
  return 0;
}

int CommandStreams::OpenTerminal(WindowSize size, const Identity& identity) {
  terminal = true;
  output_reader.Reset(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!output_reader || unlockpt(output_reader.get()) < 0) return errno;
  // Not by its name, which may mean another one in a container.
  output.Reset(ioctl(output_reader.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!output) return errno;
  if (identity.change && (fchown(output.get(), identity.user, identity.group) < 0 ||
                          fchmod(output.get(), S_IRUSR | S_IWUSR) < 0))
    return errno;
  input_writer.Reset(fcntl(output_reader.get(), F_DUPFD_CLOEXEC, 0));
  if (!input_writer) return errno;
  return SetWindowSize(output.get(), size);
}

int SetWindowSize(int terminal, WindowSize size) {
  const winsize window = {
      .ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  return ioctl(terminal, TIOCSWINSZ, &window) < 0 ? errno : 0;
}

std::string DescribeLaunchFailure(const LaunchFailure& failure) {
  constexpr std::array<const char*, 11> kStages = {
      "start", "start",      "descriptors", "terminal",       "limits", "groups",
      "user",  "privileges", "sandbox",     "working folder", "exec"};
  const auto stage = static_cast<size_t>(failure.stage);
  const char* why = strerrordesc_np(failure.errno_value);
  return absl::StrCat(
      stage < kStages.size() ? kStages[stage] : kStages[0], ": ",
      why != nullptr ? std::string(why) : absl::StrCat("errno ", failure.errno_value));
}

}  // namespace rawgate::exec
