#include "services/exec/exec_command_tree.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/base/log.h"

namespace rawgate::exec {
namespace {

using std::chrono::milliseconds;

// Between two looks for who is left: at first, and at most.
constexpr milliseconds kPauseMin{2};
constexpr milliseconds kPauseMax{100};

}  // namespace

CommandTree::CommandTree(ProcessResources& resources, Events& events)
    : resources_(resources),
      events_(events),
      pause_(resources.loop.get_executor()),
      pause_length_(kPauseMin),
      patience_(resources.loop.get_executor()) {}

CommandTree::~CommandTree() {
  if (launcher_ != nullptr) resources_.launchers.Discard(std::move(launcher_));
}

int CommandTree::Start(const Launch& launch, const CommandStreams& streams) {
  int error = 0;
  terminal_ = streams.terminal;
  depth_ = launch.sandbox == Sandbox::kBubblewrap ? kInBubblewrap : 0;
  launcher_ = resources_.launchers.Take(&error);
  if (launcher_ == nullptr) return error;
  error = WriteLaunch(launch, launcher_->block());
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
    GiveBack();
    return events_.OnStartFailed(report.failure);
  }
  const bool exited = (report.events & LauncherReport::kExited) != 0;
  if (exited && WIFSIGNALED(report.wait_status) && WTERMSIG(report.wait_status) == SIGKILL)
    killed_ = true;
  // Before anybody hears of the end and wants to end what is left.
  const bool empty = (report.events & LauncherReport::kEmpty) != 0;
  if (empty) GiveBack();
  if (exited) Exited(report.wait_status, report.usage);
  if (empty) events_.OnGone();
}

void CommandTree::GiveBack() {
  pause_.cancel();
  patience_.cancel();
  resources_.launchers.GiveBack(std::exchange(launcher_, nullptr), killing_ || killed_);
}

void CommandTree::End() {
  if (launcher_ == nullptr || std::exchange(ending_, true)) return;
  // Whatever becomes of the rounds: they wait for /proc, behind disks that may be slow.
  After(patience_, absl::ToChronoMilliseconds(resources_.options.grace),
        &CommandTree::StartKilling);
  StartRound();
}

// /proc is read on another thread.
void CommandTree::ReadProcessesThen(std::function<void(const std::vector<ProcessRow>&)> next) {
  boost::asio::post(resources_.disk, [weak = weak_from_this(), &loop = resources_.loop,
                                      next = std::move(next)]() mutable {
    std::vector<ProcessRow> rows = ReadProcesses();
    boost::asio::post(loop, [weak, rows = std::move(rows), next = std::move(next)] {
      if (const auto self = weak.lock()) next(rows);
    });
  });
}

void CommandTree::Signal(int signal, bool all, std::function<void()> sent) {
  ReadProcessesThen([this, signal, all, sent = std::move(sent)](const auto& rows) {
    const pid_t first = FirstDescendant(rows, pid_, depth_);
    for (const ProcessRow& row : launcher_ == nullptr ? std::vector<ProcessRow>()
                                                      : FindDescendants(rows, launcher_->pid())) {
      if (all || row.pid == first) SignalProcess(row, {signal});
    }
    sent();
  });
}

// One search for who is there to be told.
void CommandTree::StartRound() {
  ReadProcessesThen([this](const auto& rows) { OnRound(rows); });
}

void CommandTree::OnRound(const std::vector<ProcessRow>& rows) {
  if (launcher_ == nullptr || launcher_->lost()) return;
  if (killing_) return;
  // One that is stopped looks at a signal that it handles only when somebody lets it go on.
  constexpr std::array<int, 3> kSignals = {SIGHUP, SIGTERM, SIGCONT};
  SignalDescendants(rows, launcher_->pid(),
                    absl::MakeConstSpan(kSignals).subspan(terminal_ ? 0 : 1), &signalled_);
  AfterPause(&CommandTree::StartRound);
}

void CommandTree::StartKilling() {
  killing_ = true;
  launcher_->Kill();
  After(patience_, KillPatience(), &CommandTree::KillLauncher);
}

milliseconds CommandTree::KillPatience() const {
  return absl::ToChronoMilliseconds(resources_.options.kill_patience);
}

// It may have been stopped, by a command that runs as the service's user.
void CommandTree::KillLauncher() {
  spdlog::error("pid {}: its launcher does not end it, and is killed", pid_);
  // It may still share its memory with a command that somebody has frozen.
  resources_.launchers.KillCommandOf(launcher_->pid());
  kill(launcher_->pid(), SIGKILL);
  After(patience_, KillPatience(), &CommandTree::GiveUp);
}

// Whoever killed it did not mean the command to live on.
void CommandTree::OnLauncherLost() {
  spdlog::error("pid {}: its launcher was killed", pid_);
  killing_ = true;
  resources_.launchers.KillCommandOf(launcher_->pid());
  After(patience_, KillPatience(), &CommandTree::GiveUp);
  pause_length_ = kPauseMin;
  Sweep();
}

void CommandTree::Sweep() {
  const auto self = shared_from_this();
  Orphans::Ended ended;
  const bool any = resources_.orphans.Sweep(resources_.launchers, launcher_->pid(), pid_, &ended);
  if (ended.seen) Exited(ended.wait_status, ended.usage);
  if (any) return AfterPause(&CommandTree::Sweep);
  Leave();
}

void CommandTree::AfterPause(void (CommandTree::*next)()) {
  After(pause_, pause_length_, next);
  pause_length_ = std::min(pause_length_ * 2, kPauseMax);
}

void CommandTree::After(Timer& timer, milliseconds length, void (CommandTree::*next)()) {
  timer.expires_after(length);
  timer.async_wait([weak = weak_from_this(), next](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self != nullptr && self->launcher_ != nullptr) (self.get()->*next)();
  });
}

// What survives SIGKILL hangs in the kernel; it dies when the kernel lets go of it.
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
  patience_.cancel();
  resources_.launchers.Discard(std::exchange(launcher_, nullptr));
  // Nobody saw how it ended; killed it was.
  if (!exited_) Exited(SIGKILL, {});
  events_.OnGone();
}

}  // namespace rawgate::exec
