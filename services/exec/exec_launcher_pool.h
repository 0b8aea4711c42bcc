// Launchers that run and wait for commands. One that has run a command is as good as new, so that a
// busy service starts none at all.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "runtime/base/fd.h"
#include "services/exec/exec_cgroup.h"
#include "services/exec/exec_launcher_process.h"

namespace rawgate::exec {

using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>,
                                                boost::asio::io_context::executor_type>;

// The launcher installed beside the running program. Error: FAILED_PRECONDITION (NO_LAUNCHER).
absl::StatusOr<std::string> FindLauncher();

// Loop thread.
class LauncherPool {
 public:
  // These wait however long nothing is to be done; more only for a while.
  static constexpr size_t kIdleKept = 2;

  // `path` is the launcher program. Each gets a cgroup for its commands if `cgroups` makes some.
  // Makes sure that this process's descriptors 0 to 2 are open.
  LauncherPool(boost::asio::io_context& loop, std::string path, std::optional<Cgroups> cgroups);
  // All were given back or discarded. Waits until those discarded have killed what they had, but
  // not for ever.
  ~LauncherPool();
  LauncherPool(const LauncherPool&) = delete;
  LauncherPool& operator=(const LauncherPool&) = delete;

  // Null with `error` set to an errno when none is idle and none can be started.
  std::shared_ptr<LauncherProcess> Take(int* error);
  // Nothing is left of its command, which was `killed`, by whomever, or has ended otherwise.
  void GiveBack(std::shared_ptr<LauncherProcess> launcher, bool killed);
  // It kills what it has, and ends.
  void Discard(std::shared_ptr<LauncherProcess> launcher);

  // Whether a child of this process is one of ours.
  bool Has(pid_t pid) const { return cgroups_of_.contains(pid); }
  // Kills what runs for a launcher that cannot do it itself; where there are no cgroups it does
  // nothing.
  void KillCommandOf(pid_t launcher) const;

 private:
  struct Idle {
    std::shared_ptr<LauncherProcess> launcher;
    std::chrono::steady_clock::time_point since;
  };

  std::shared_ptr<LauncherProcess> Start(int* error);
  // Unless it is to be done sooner already.
  void ScheduleTidying(std::chrono::milliseconds pause);
  void Tidy();
  void ReapLeaving();

  boost::asio::io_context& loop_;
  const std::string path_;
  std::optional<Cgroups> cgroups_;
  Fd null_;
  // The one that was used last is at the end, and is used next.
  std::deque<Idle> idle_;
  // Closed, not reaped yet.
  absl::flat_hash_set<pid_t> leaving_;
  // All, leaving_ included, each with its cgroup.
  absl::flat_hash_map<pid_t, Cgroup> cgroups_of_;
  Timer tidying_;
  bool tidying_scheduled_ = false;
  std::chrono::milliseconds tidy_pause_{0};
};

}  // namespace rawgate::exec
