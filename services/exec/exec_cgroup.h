// Cgroups for commands (cgroups(7), version 2), where the system lets this process make some: all
// that is in one is killed at once, and nothing forks its way out of that.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {

// Owner of one: it is removed with this object, unless something is still in it.
class Cgroup {
 public:
  // None: Open() gives no descriptor, Kill() does nothing.
  Cgroup() = default;
  explicit Cgroup(std::string folder) : folder_(std::move(folder)) {}
  ~Cgroup();
  Cgroup(Cgroup&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}
  Cgroup& operator=(Cgroup&& other) noexcept {
    std::swap(folder_, other.folder_);
    return *this;
  }

  const std::string& folder() const { return folder_; }
  // For clone3(2) with CLONE_INTO_CGROUP.
  Fd Open() const;
  // Everything in it, by SIGKILL; then it is not to be used again, see LauncherPool::GiveBack().
  // False with errno set on failure; before Linux 5.14 always.
  bool Kill() const;

 private:
  std::string folder_;
};

// Makes them, in one of their own below the cgroup of this process. One thread. Outlives them.
class Cgroups {
 public:
  // Tries it, with a process that is started in one and killed; this process is forked for that.
  // Kills and removes what services left that were killed themselves.
  // Error: FAILED_PRECONDITION (NO_CGROUPS), with what the system does not allow.
  static absl::StatusOr<Cgroups> Find();

  absl::StatusOr<Cgroup> Make();

  // Where cgroups of version 2 can be seen and this process is among them, by the texts of
  // /proc/self/cgroup and /proc/self/mountinfo; empty when there is no such folder.
  static std::string OwnFolder(absl::string_view cgroups, absl::string_view mounts);

 private:
  Cgroups() = default;

  // Holds those that are made. As long as we hold its lock no other service takes it for left
  // behind.
  Cgroup all_;
  Fd lock_;
  uint64_t last_ = 0;
};

}  // namespace rawgate::exec
