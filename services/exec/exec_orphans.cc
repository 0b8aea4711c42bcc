#include "services/exec/exec_orphans.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/exec/exec_launcher_pool.h"
#include "services/exec/exec_process_tree.h"

namespace rawgate::exec {

Orphans::Orphans()
    : children_(open(absl::StrCat("/proc/self/task/", getpid(), "/children").c_str(),
                     O_RDONLY | O_CLOEXEC)) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

bool Orphans::Sweep(const LauncherPool& launchers, pid_t launcher, pid_t command, Ended* ended) {
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(launcher), &info, WEXITED | WNOHANG | WNOWAIT);
  // Its children come to us at the very end.
  if (info.si_pid == 0) return true;
  ProcessRow killed;
  if (!ReadProcess(launcher, &killed)) return false;
  bool any = false;
  for (const pid_t pid : Children()) {
    ProcessRow row;
    // Those from before are strangers, such as `docker exec` leaves to a container's first process.
    if (launchers.Has(pid) || !ReadProcess(pid, &row) || row.start < killed.start) continue;
    any = true;
    kill(pid, SIGKILL);
    int status = 0;
    rusage usage{};
    if (wait4(pid, &status, WNOHANG, &usage) == pid && pid == command)
      *ended = {true, status, usage};
  }
  return any;
}

std::vector<pid_t> Orphans::Children() {
  // Numbers, each followed by a space; one may lie across two reads.
  std::vector<pid_t> children;
  std::array<char, 4096> buffer;
  pid_t pid = 0;
  off_t offset = 0;
  for (ssize_t n; (n = pread(children_.get(), buffer.data(), buffer.size(), offset)) > 0;
       offset += n) {
    for (const char c : absl::string_view(buffer.data(), static_cast<size_t>(n))) {
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
      } else if (pid != 0) {
        children.push_back(std::exchange(pid, 0));
      }
    }
  }
  return children;
}

}  // namespace rawgate::exec
