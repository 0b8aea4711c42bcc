#include "services/exec/exec_sandbox_entry.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/exec/exec_bubblewrap.h"

namespace rawgate::exec {
namespace {

// The folder is its home, unless the request says otherwise.
Launch InSandbox(const Launch& launch, const std::string& own_folder,
                 const std::string& launcher_path) {
  Launch inside = launch;
  inside.own_folder = own_folder;
  if (inside.folder.empty()) inside.folder = own_folder;
  for (const char* name : {"HOME=", "TMPDIR="}) {
    const auto& environment = inside.environment;
    if (std::none_of(environment.begin(), environment.end(), [name](const std::string& variable) {
          return absl::StartsWith(variable, name);
        }))
      inside.environment.push_back(absl::StrCat(name, own_folder));
  }
  if (launch.sandbox != Sandbox::kBubblewrap) return inside;
  inside.argv = InBubblewrap(launcher_path, inside.argv, inside.folder, own_folder);
  // It enters the folder itself, which may look otherwise inside.
  inside.folder = "/";
  inside.inner_environment = std::exchange(inside.environment, {});
  return inside;
}

}  // namespace

int SandboxEntry::Open(const Launch& launch, Launch* inside, CommandStreams* streams) {
  *inside = launch;
  if (launch.sandbox != Sandbox::kNone) {
    own_folder_ = resources_.own_folders.Make(launch.identity);
    if (own_folder_.empty()) return errno;
    *inside = InSandbox(launch, own_folder_, resources_.options.launcher_path);
  }
  const int error = streams->Open(*inside);
  if (error != 0 || launch.sandbox != Sandbox::kBubblewrap) return error;
  inner_memory_.Reset(fcntl(streams->fourth.get(), F_DUPFD_CLOEXEC, 0));
  return inner_memory_ ? 0 : errno;
}

void SandboxEntry::CorrectEnd(int* wait_status, rusage* usage, LaunchFailure* failure) const {
  if (!inner_memory_) return;
  const LauncherReport report = ReadInnerReport(inner_memory_.get());
  if (report.events == LauncherReport::kExited) {
    *wait_status = report.wait_status;
    *usage = report.usage;
  } else if (report.events == LauncherReport::kFailed) {
    *failure = report.failure;
  } else if (report.pid != 0) {
    // It ran; rawgate-exec-inner was killed, and so all of it.
    *wait_status = SIGKILL;
  } else if (WIFEXITED(*wait_status)) {
    // bubblewrap has said why on standard error.
    *failure = {LaunchStage::kSandbox, EPERM};
  }
}

void SandboxEntry::Leave() {
  inner_memory_.Reset();
  if (!own_folder_.empty()) resources_.own_folders.Remove(std::exchange(own_folder_, ""));
}

}  // namespace rawgate::exec
