#include "services/exec/exec_launch.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

// One entry of the user database.
std::optional<Identity> FindUser(const std::string& name_or_empty, uid_t uid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (name_or_empty.empty()) {
    getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(name_or_empty.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found == nullptr) return std::nullopt;
  Identity identity{.change = true,
                    .user = entry.pw_uid,
                    .group = entry.pw_gid,
                    .groups = std::vector<gid_t>(kLaunchSupplementaryMax),
                    .name = entry.pw_name,
                    .home = entry.pw_dir};
  int count = kLaunchSupplementaryMax;
  if (getgrouplist(entry.pw_name, entry.pw_gid, identity.groups.data(), &count) < 0)
    count = kLaunchSupplementaryMax;
  identity.groups.resize(static_cast<size_t>(count));
  return identity;
}

absl::Status BadRunAs(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_RUN_AS", message);
}

// All launcher arguments before the folder.
std::vector<std::string> FixedArguments(const Identity& identity) {
  std::vector<std::string> arguments(kLaunchFolder);
  arguments[kLaunchName] = "rawgate-exec-launcher";
  if (identity.change) {
    arguments[kLaunchUser] = absl::StrCat(identity.user);
    arguments[kLaunchGroup] = absl::StrCat(identity.group);
    arguments[kLaunchGroups] = absl::StrJoin(identity.groups, ",");
    // The limit counts all processes of a user: an ordinary user's desktop may be beyond any number
    // chosen here.
    if (identity.user != 0) arguments[kLaunchProcesses] = absl::StrCat(Launcher::kProcessesMax);
  }
  return arguments;
}

struct Pipe {
  Fd read;
  Fd write;

  // False with errno set.
  bool Open() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) < 0) return false;
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    return fcntl(read.get(), F_SETFL, O_NONBLOCK) == 0;
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

std::vector<char*> Pointers(absl::Span<const std::string> first,
                            absl::Span<const std::string> second) {
  std::vector<char*> pointers;
  pointers.reserve(first.size() + second.size() + 1);
  // posix_spawn(3) takes char* for historical reasons and writes to none of them.
  for (const std::string& text : first) pointers.push_back(const_cast<char*>(text.c_str()));
  for (const std::string& text : second) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// What the child starts with: its own session (from the first moment, so that its group can be
// signalled as soon as posix_spawn returns), no signal blocked, and exactly four descriptors to
// know of.
class SpawnSettings {
 public:
  SpawnSettings(int input, int output, int error_output, int status) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, error_output, STDERR_FILENO);
    // Last: any of the sources above may have this number.
    posix_spawn_file_actions_adddup2(&actions_, status, kLaunchStatusFd);

    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Launcher::Result SpawnFailure(int errno_value) {
  return {.launched = {}, .failure = {LaunchStage::kSpawn, errno_value}};
}

}  // namespace

absl::StatusOr<Identity> ResolveIdentity(absl::string_view run_as) {
  const uid_t self = geteuid();
  if (self != 0) {
    Identity identity = FindUser("", self).value_or(Identity{});
    identity.change = false;
    if (run_as != "nobody" && run_as != identity.name) {
      return BadRunAs(
          absl::StrCat("--run_as=", run_as, " needs a service started as root; this one runs as ",
                       identity.name.empty() ? absl::StrCat("uid ", self) : identity.name));
    }
    return identity;
  }
  if (run_as.empty()) return BadRunAs("--run_as is empty; name the user that commands run as");
  std::optional<Identity> identity = FindUser(std::string(run_as), 0);
  if (!identity) return BadRunAs(absl::StrCat("--run_as=", run_as, ": no such user"));
  if (identity->user == 0 && run_as != "root") {
    return BadRunAs(absl::StrCat("--run_as=", run_as,
                                 " is another name of root; say --run_as=root if that is meant"));
  }
  return *identity;
}

absl::StatusOr<std::string> FindLauncher() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string path = (program.parent_path() / "rawgate-exec-launcher").string();
  if (access(path.c_str(), X_OK) == 0) return path;
  return Error(
      absl::StatusCode::kFailedPrecondition, "NO_LAUNCHER",
      absl::StrCat(path, " is missing; it is installed with rawgate-exec, in the same folder"));
}

Launcher::Launcher(std::string path, Identity identity)
    : path_(std::move(path)),
      identity_(std::move(identity)),
      fixed_arguments_(FixedArguments(identity_)) {
  // With 0 to 2 taken, no descriptor opened from now on can be one that the child's set-up
  // overwrites before its turn.
  do {
    null_.Reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  } while (null_ && null_.get() <= STDERR_FILENO && null_.Release() >= 0);
}

Launcher::Result Launcher::Start(const Launch& launch) const {
  Pipe output;
  Pipe error_output;
  Pipe status;
  if (!output.Open() || !error_output.Open() || !status.Open()) return SpawnFailure(errno);
  Fd input;
  if (!launch.input.empty()) {
    input = InputFile(launch.input);
    if (!input) return SpawnFailure(errno);
  }
  const SpawnSettings settings(input ? input.get() : null_.get(), output.write.get(),
                               error_output.write.get(), status.write.get());
  // So that the command can open what it was given, as /dev/stderr; it may be another user's.
  if (identity_.change) {
    for (const Pipe* pipe : {&output, &error_output}) {
      if (fchown(pipe->write.get(), identity_.user, identity_.group) < 0)
        return SpawnFailure(errno);
    }
  }
  std::vector<std::string> prefix = fixed_arguments_;
  prefix.push_back(launch.folder);
  const std::vector<char*> arguments = Pointers(prefix, launch.argv);
  const std::vector<char*> environment = Pointers(launch.environment, {});

  Result result;
  Launched& launched = result.launched;
  const int error = posix_spawn(&launched.pid, path_.c_str(), settings.actions(),
                                settings.attributes(), arguments.data(), environment.data());
  if (error != 0) return SpawnFailure(error);
  // No child of ours is reaped elsewhere, so the number still names this one.
  launched.pidfd.Reset(static_cast<int>(syscall(SYS_pidfd_open, launched.pid, 0)));
  launched.output = std::move(output.read);
  launched.error_output = std::move(error_output.read);
  launched.status = std::move(status.read);
  if (!launched.pidfd) result.failure.errno_value = errno;
  return result;
}

LaunchFailure ReadLaunchFailure(const Fd& status) {
  LaunchFailure failure{LaunchStage::kSpawn, 0};
  if (::read(status.get(), &failure, sizeof(failure)) != sizeof(failure)) failure.errno_value = 0;
  return failure;
}

std::string DescribeLaunchFailure(const LaunchFailure& failure) {
  constexpr std::array<const char*, 10> kStages = {
      "start",  "start", "launcher arguments", "descriptors",    "limits",
      "groups", "user",  "privileges",         "working folder", "exec"};
  const auto stage = static_cast<size_t>(failure.stage);
  const char* why = strerrordesc_np(failure.errno_value);
  return absl::StrCat(
      stage < kStages.size() ? kStages[stage] : kStages[0], ": ",
      why != nullptr ? std::string(why) : absl::StrCat("errno ", failure.errno_value));
}

}  // namespace rawgate::exec
