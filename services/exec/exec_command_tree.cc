#include "services/exec/exec_command_tree.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/time/clock.h"
#include "runtime/base/log.h"

namespace rawgate::exec {
namespace {

using std::chrono::milliseconds;

// Between two looks for who is left: at first, and at most.
constexpr milliseconds kPauseMin{2};
constexpr milliseconds kPauseMax{100};
// After SIGKILL. What survives that hangs in the kernel; it dies when the kernel lets go of it.
constexpr absl::Duration kKillPatience = absl::Seconds(60);

}  // namespace

CommandTree::CommandTree(ProcessResources& resources, Events& events)
    : resources_(resources),
      events_(events),
      pause_(resources.loop.get_executor()),
      pause_length_(kPauseMin) {}

CommandTree::~CommandTree() {
  if (launcher_ != nullptr) resources_.launchers.Discard(std::move(launcher_));
}

int CommandTree::Start(const Launch& launch, const CommandStreams& streams) {
  int error = 0;
  launcher_ = resources_.launchers.Take(&error);
  if (launcher_ == nullptr) return error;
  error = WriteLaunch(launch, resources_.options.identity, launcher_->block());
  if (error == 0) error = launcher_->Run(streams, *this);
  if (error != 0) resources_.launchers.Discard(std::exchange(launcher_, nullptr));
  return error;
}

void CommandTree::OnLauncherReport(const LauncherReport& report) {
  const auto self = shared_from_this();
  if ((report.events & LauncherReport::kStarted) != 0) {
    pid_ = report.pid;
    events_.OnStarted();
  }
  if ((report.events & LauncherReport::kFailed) != 0) {
    pause_.cancel();
    resources_.launchers.GiveBack(std::exchange(launcher_, nullptr));
    return events_.OnStartFailed(report.failure);
  }
  // Before anybody hears of the end and wants to end what is left.
  const bool empty = (report.events & LauncherReport::kEmpty) != 0;
  if (empty) {
    pause_.cancel();
    resources_.launchers.GiveBack(std::exchange(launcher_, nullptr));
  }
  if ((report.events & LauncherReport::kExited) != 0) Exited(report.wait_status, report.usage);
  if (empty) events_.OnGone();
}

void CommandTree::End() {
  if (launcher_ == nullptr || std::exchange(ending_, true)) return;
  patience_end_ = absl::Now() + resources_.options.grace;
  StartRound();
}

// One search for who is there to be told. /proc is read on another thread.
void CommandTree::StartRound() {
  boost::asio::post(resources_.disk, [weak = weak_from_this(), &loop = resources_.loop] {
    std::vector<ProcessRow> rows = ReadProcesses();
    boost::asio::post(loop, [weak, rows = std::move(rows)] {
      if (const auto self = weak.lock()) self->OnRound(rows);
    });
  });
}

void CommandTree::OnRound(const std::vector<ProcessRow>& rows) {
  if (launcher_ == nullptr || launcher_->lost()) return;
  if (absl::Now() >= patience_end_) return StartKilling();
  SignalDescendants(rows, launcher_->pid(), SIGTERM, &signalled_);
  AfterPause(&CommandTree::StartRound);
}

void CommandTree::StartKilling() {
  launcher_->Kill();
  patience_end_ = absl::Now() + kKillPatience;
  pause_.expires_after(absl::ToChronoMilliseconds(kKillPatience));
  pause_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && self->launcher_ != nullptr) self->GiveUp();
  });
}

// Whoever killed it did not mean the command to live on.
void CommandTree::OnLauncherLost() {
  spdlog::error("pid {}: its launcher was killed", pid_);
  patience_end_ = absl::Now() + kKillPatience;
  pause_length_ = kPauseMin;
  Sweep();
}

void CommandTree::Sweep() {
  const auto self = shared_from_this();
  Orphans::Ended ended;
  const bool any = resources_.orphans.Sweep(resources_.launchers, launcher_->pid(), pid_, &ended);
  if (ended.seen) Exited(ended.wait_status, ended.usage);
  if (any) return absl::Now() < patience_end_ ? AfterPause(&CommandTree::Sweep) : GiveUp();
  Leave();
}

void CommandTree::AfterPause(void (CommandTree::*next)()) {
  pause_.expires_after(pause_length_);
  pause_length_ = std::min(pause_length_ * 2, kPauseMax);
  pause_.async_wait([weak = weak_from_this(), next](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && self->launcher_ != nullptr) (self.get()->*next)();
  });
}

void CommandTree::GiveUp() {
  spdlog::error("pid {}: given up: SIGKILL does not end all of its processes", pid_);
  Leave();
}

void CommandTree::Exited(int wait_status, const rusage& usage) {
  exited_ = true;
  events_.OnExited(wait_status, usage);
}

void CommandTree::Leave() {
  pause_.cancel();
  resources_.launchers.Discard(std::exchange(launcher_, nullptr));
  // Nobody saw how it ended; killed it was.
  if (!exited_) Exited(SIGKILL, {});
  events_.OnGone();
}

}  // namespace rawgate::exec
