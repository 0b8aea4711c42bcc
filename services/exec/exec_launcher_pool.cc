#include "services/exec/exec_launcher_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/log.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

// One that leaves is mostly gone at once, and should not stay a zombie for long.
constexpr std::chrono::milliseconds kTidyPauseMin{2};
constexpr std::chrono::milliseconds kTidyPauseMax{1000};
constexpr std::chrono::seconds kIdleMax{10};
// For launchers to kill what they have, when the pool goes away.
constexpr std::chrono::seconds kLeavePatience{15};

// Until this child has ended, but not for ever. Blocks: where it is called no loop is left.
void AwaitEnd(pid_t pid, steady_clock::time_point deadline) {
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  pollfd ended = {.fd = process.get(), .events = POLLIN, .revents = 0};
  for (auto now = steady_clock::now(); process && ended.revents == 0 && now < deadline;
       now = steady_clock::now()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
    poll(&ended, 1, static_cast<int>(left.count()));
  }
}

}  // namespace

absl::StatusOr<std::string> FindLauncher() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string path = (program.parent_path() / "rawgate-exec-launcher").string();
  if (access(path.c_str(), X_OK) == 0) return path;
  return Error(
      absl::StatusCode::kFailedPrecondition, "NO_LAUNCHER",
      absl::StrCat(path, " is missing; it is installed with rawgate-exec, in the same folder"));
}

LauncherPool::LauncherPool(asio::io_context& loop, std::string path, std::optional<Cgroups> cgroups)
    : loop_(loop),
      path_(std::move(path)),
      cgroups_(std::move(cgroups)),
      tidying_(loop.get_executor()) {
  // With 0 to 2 taken, no descriptor opened from now on can be one of these.
  do {
    null_.Reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  } while (null_ && null_.get() <= STDERR_FILENO && null_.Release() >= 0);
  for (size_t i = 0; i < kIdleKept; ++i) {
    int error = 0;
    if (auto launcher = Start(&error)) idle_.push_back({std::move(launcher), steady_clock::now()});
  }
}

LauncherPool::~LauncherPool() {
  for (Idle& idle : idle_) Discard(std::move(idle.launcher));
  tidying_.cancel();
  const auto end = steady_clock::now() + kLeavePatience;
  for (const pid_t pid : leaving_) AwaitEnd(pid, end);
  ReapLeaving();
  if (!leaving_.empty())
    spdlog::error("{} launchers given up: SIGKILL does not end what they run", leaving_.size());
}

std::shared_ptr<LauncherProcess> LauncherPool::Start(int* error) {
  Cgroup cgroup;
  if (cgroups_.has_value()) {
    absl::StatusOr<Cgroup> made = cgroups_->Make();
    if (made.ok()) {
      cgroup = *std::move(made);
    } else {
      spdlog::warn("a launcher without a cgroup: {}", made.status().ToString());
    }
  }
  auto launcher = LauncherProcess::Start(loop_, path_, cgroup, null_.get(), error);
  if (launcher != nullptr) cgroups_of_.emplace(launcher->pid(), std::move(cgroup));
  return launcher;
}

void LauncherPool::KillCommandOf(pid_t launcher) const {
  const auto found = cgroups_of_.find(launcher);
  if (found != cgroups_of_.end()) found->second.Kill();
}

std::shared_ptr<LauncherProcess> LauncherPool::Take(int* error) {
  while (!idle_.empty()) {
    std::shared_ptr<LauncherProcess> launcher = std::move(idle_.back().launcher);
    idle_.pop_back();
    if (!launcher->lost()) return launcher;
    Discard(std::move(launcher));
  }
  return Start(error);
}

void LauncherPool::GiveBack(std::shared_ptr<LauncherProcess> launcher, bool killed) {
  // A cgroup is good for one cgroup.kill: newer kernels (6.18 is one) kill whatever is started in
  // it by CLONE_INTO_CGROUP afterwards.
  if (killed && cgroups_.has_value()) return Discard(std::move(launcher));
  launcher->ForgetClient();
  idle_.push_back({std::move(launcher), steady_clock::now()});
  if (idle_.size() > kIdleKept) ScheduleTidying(kTidyPauseMax);
}

void LauncherPool::Discard(std::shared_ptr<LauncherProcess> launcher) {
  launcher->Close();
  leaving_.insert(launcher->pid());
  ScheduleTidying(kTidyPauseMin);
}

void LauncherPool::ScheduleTidying(std::chrono::milliseconds pause) {
  if (tidying_scheduled_ && pause >= tidy_pause_) return;
  tidying_scheduled_ = true;
  tidy_pause_ = pause;
  tidying_.expires_after(pause);
  tidying_.async_wait([this](const boost::system::error_code& error) {
    if (!error) Tidy();
  });
}

void LauncherPool::Tidy() {
  tidying_scheduled_ = false;
  ReapLeaving();
  const auto now = steady_clock::now();
  while (idle_.size() > kIdleKept && now - idle_.front().since >= kIdleMax) {
    std::shared_ptr<LauncherProcess> launcher = std::move(idle_.front().launcher);
    idle_.pop_front();
    Discard(std::move(launcher));
  }
  if (!leaving_.empty() || idle_.size() > kIdleKept)
    ScheduleTidying(leaving_.empty() ? kTidyPauseMax : std::min(2 * tidy_pause_, kTidyPauseMax));
}

void LauncherPool::ReapLeaving() {
  absl::erase_if(leaving_, [this](pid_t pid) {
    if (waitpid(pid, nullptr, WNOHANG) == 0) return false;
    cgroups_of_.erase(pid);
    return true;
  });
}

}  // namespace rawgate::exec
