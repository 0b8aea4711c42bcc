#include "services/exec/exec_cgroup.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "services/exec/exec_folder_lock.h"

namespace rawgate::exec {
namespace {

constexpr absl::string_view kPrefix = "rawgate-exec-";

absl::Status NoCgroups(absl::string_view why) {
  return Error(absl::StatusCode::kFailedPrecondition, "NO_CGROUPS", why);
}

absl::Status NoCgroupsErrno(absl::string_view what) {
  return NoCgroups(absl::StrCat(what, ": ", std::strerror(errno)));
}

std::string ReadAll(const char* path) {
  std::ifstream file(path);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// As fork(2), but that the child is in `cgroup`.
pid_t ForkInto(const Cgroup& cgroup) {
  const Fd folder = cgroup.Open();
  clone_args arguments{};
  arguments.flags = CLONE_INTO_CGROUP;
  arguments.exit_signal = SIGCHLD;
  arguments.cgroup = static_cast<uint64_t>(folder.get());
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

int AwaitEnd(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// Whether processes can live in `cgroup`, and be killed.
absl::Status Try(const Cgroup& cgroup) {
  const pid_t quick = ForkInto(cgroup);
  if (quick == 0) _exit(0);
  if (quick < 0) return NoCgroupsErrno("clone3 with CLONE_INTO_CGROUP");
  // What LauncherPool::GiveBack() says goes for the cgroup of this process as well.
  if (AwaitEnd(quick) != 0) return NoCgroups("what begins in one is killed");
  const pid_t slow = ForkInto(cgroup);
  if (slow == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) pause();
  }
  if (slow < 0) return NoCgroupsErrno("clone3 with CLONE_INTO_CGROUP");
  absl::Status result;
  if (!cgroup.Kill()) {
    result = NoCgroupsErrno(absl::StrCat(cgroup.folder(), "/cgroup.kill"));
    kill(slow, SIGKILL);
  }
  AwaitEnd(slow);
  return result;
}

std::vector<std::string> FoldersIn(const std::string& parent) {
  std::vector<std::string> folders;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(parent, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) folders.push_back(entry->path().string());
  }
  return folders;
}

// What takes its time to die stays for the service after the next.
void RemoveLeftBehind(const std::string& parent) {
  for (std::string& folder : FoldersIn(parent)) {
    if (!absl::StartsWith(std::filesystem::path(folder).filename().string(), kPrefix)) continue;
    const Fd lock = LockFolder(folder);
    if (!lock) continue;
    const Cgroup left(std::move(folder));
    left.Kill();
    for (std::string& one : FoldersIn(left.folder())) Cgroup{std::move(one)};
  }
}

}  // namespace

Cgroup::~Cgroup() {
  if (!folder_.empty()) rmdir(folder_.c_str());
}

Fd Cgroup::Open() const {
  return folder_.empty() ? Fd() : Fd(open(folder_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
}

bool Cgroup::Kill() const {
  if (folder_.empty()) return false;
  const Fd file(open(absl::StrCat(folder_, "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC));
  return file && write(file.get(), "1", 1) == 1;
}

std::string Cgroups::OwnFolder(absl::string_view cgroups, absl::string_view mounts) {
  // "0::/path": proc(5). A path that begins with ".." is outside of what this process can see.
  absl::string_view own;
  for (absl::string_view line : absl::StrSplit(cgroups, '\n')) {
    if (absl::ConsumePrefix(&line, "0::")) own = line;
  }
  if (own.empty() || absl::StartsWith(own, "/..")) return "";
  for (const absl::string_view line : absl::StrSplit(mounts, '\n')) {
    // "ID PARENT DEVICE ROOT MOUNT-POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS"
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 5 || !absl::StrContains(line, " - cgroup2 ")) continue;
    const absl::string_view root = absl::StripSuffix(fields[3], "/");
    absl::string_view below = own;
    if (!absl::ConsumePrefix(&below, root) || (!below.empty() && below.front() != '/')) continue;
    return absl::StrCat(fields[4], absl::StripSuffix(below, "/"));
  }
  return "";
}

absl::StatusOr<Cgroups> Cgroups::Find() {
#if !defined(RAWGATE_LAUNCHER_FREESTANDING)
  return NoCgroups("not on this processor");
#endif
  const std::string own = OwnFolder(ReadAll("/proc/self/cgroup"), ReadAll("/proc/self/mountinfo"));
  if (own.empty()) return NoCgroups("no cgroup of version 2 is to be seen");
  RemoveLeftBehind(own);
  Cgroups cgroups;
  // Somebody who looks for what was left behind may be quicker than the lock.
  for (int attempt = 0; attempt < 5 && !cgroups.lock_; ++attempt) {
    std::string folder = absl::StrCat(own, "/", kPrefix, "XXXXXX");
    if (mkdtemp(folder.data()) == nullptr) return NoCgroupsErrno(absl::StrCat("mkdir ", folder));
    cgroups.lock_ = LockFolder(folder);
    cgroups.all_ = Cgroup(std::move(folder));
  }
  if (!cgroups.lock_) return NoCgroups(absl::StrCat("somebody removes what is made in ", own));
  const absl::StatusOr<Cgroup> tried = cgroups.Make();
  if (!tried.ok()) return tried.status();
  if (const absl::Status status = Try(*tried); !status.ok()) return status;
  return cgroups;
}

absl::StatusOr<Cgroup> Cgroups::Make() {
  std::string folder = absl::StrCat(all_.folder(), "/", ++last_);
  if (mkdir(folder.c_str(), S_IRWXU) < 0) return NoCgroupsErrno(absl::StrCat("mkdir ", folder));
  return Cgroup(std::move(folder));
}

}  // namespace rawgate::exec
