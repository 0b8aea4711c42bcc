#include "services/exec/exec_bubblewrap.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>

#include "absl/strings/str_join.h"

namespace rawgate::exec {

// Not looked for: a request must have no say in it.
constexpr char kBubblewrapPath[] = "/usr/bin/bwrap";

std::vector<std::string> InBubblewrap(const std::string& launcher_path,
                                      const std::vector<std::string>& argv,
                                      const std::string& folder, const std::string& own_folder) {
  const std::string inner =
      (std::filesystem::path(launcher_path).parent_path() / "rawgate-exec-inner").string();
  std::vector<std::string> all = {
      kBubblewrapPath, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc",
      "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
      // As root it would keep what undoes all of this.
      "--cap-drop", "ALL", "--disable-userns",
      // In /run are sockets that would do things for it outside.
      "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs",
      "/run",
      // Either may lie below those.
      "--ro-bind", inner, inner, "--bind", own_folder, own_folder, "--", inner, folder};
  all.insert(all.end(), argv.begin(), argv.end());
  return all;
}

Fd InnerMemory(const std::vector<std::string>& environment) {
  // Each with its NUL, and one more at the end of the last.
  const std::string text = absl::StrJoin(environment, absl::string_view("\0", 1));
  if (text.size() >= kLaunchTextMax || environment.size() > kLaunchEnvironmentMax) {
    errno = E2BIG;
    return Fd();
  }
  const auto count = static_cast<uint32_t>(environment.size());
  Fd memory(memfd_create("rawgate-inner", MFD_CLOEXEC));
  if (!memory || ftruncate(memory.get(), sizeof(InnerBlock)) < 0 ||
      pwrite(memory.get(), &count, sizeof(count), offsetof(InnerBlock, environment_count)) < 0 ||
      pwrite(memory.get(), text.data(), text.size(), offsetof(InnerBlock, environment)) < 0)
    return Fd();
  return memory;
}

LauncherReport ReadInnerReport(int memory) {
  LauncherReport report{};
  if (pread(memory, &report, sizeof(report), offsetof(InnerBlock, report)) != sizeof(report))
    report = {};
  return report;
}

}  // namespace rawgate::exec
