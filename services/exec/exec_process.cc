#include "services/exec/exec_process.h"

#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "services/exec/exec_capture.h"
#include "services/exec/exec_process_resources.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
using std::chrono::milliseconds;

// Between two searches for what is left of a tree: at first, and at most.
constexpr milliseconds kRoundPauseMin{2};
constexpr milliseconds kRoundPauseMax{100};
// After SIGKILL. What survives that hangs in the kernel; it dies when the kernel lets go of it.
constexpr absl::Duration kKillPatience = absl::Seconds(5);

}  // namespace

class Process::Impl final : public Capture::Events,
                            public std::enable_shared_from_this<Process::Impl> {
 public:
  Impl(ProcessResources& resources, ProcessObserver& observer)
      : resources_(&resources),
        observer_(&observer),
        exit_(resources.loop.get_executor()),
        deadline_(resources.loop.get_executor()),
        pause_(resources.loop.get_executor()) {}

  void Start(const ProcessSpec& spec);
  void End(EndCause cause);
  void Abandon();

  pid_t pid() const { return launched_.pid; }
  const Output& output(OutputStream stream) const { return outputs_[static_cast<size_t>(stream)]; }

 private:
  // What is being done about a command's end.
  enum class Phase {
    kRunning,      // nothing: it runs
    kDraining,     // it has ended; its output may not
    kTerminating,  // SIGTERM has been sent
    kKilling,      // SIGKILL has been sent
    kEnded,
  };

  void OnCaptured(Capture& capture) override;
  void OnCaptureFull(Capture& capture, const absl::Status& error) override;
  void OnCaptureClosed(Capture& capture) override;

  void Watch(const ProcessSpec& spec);
  void OnExit();
  // Something changed: finishes, or does what comes next.
  void Advance();
  void StartEnding();
  void StartRound();
  void OnRound(const std::vector<ProcessRow>& rows);
  void Drain();
  void OnDrained();
  void Finish();
  bool captured() const;

  // Null once abandoned: nothing may happen any more.
  ProcessResources* resources_;
  ProcessObserver* observer_;
  std::chrono::steady_clock::time_point started_;
  Launched launched_;
  Descriptor exit_;  // the pidfd
  Timer deadline_;
  Timer pause_;
  OutputBudget budget_;
  std::array<Output, 2> outputs_;
  std::array<std::shared_ptr<Capture>, 2> captures_;
  Phase phase_ = Phase::kRunning;
  bool exited_ = false;
  bool draining_ = false;
  bool searching_ = false;
  milliseconds round_pause_ = kRoundPauseMin;
  absl::Time phase_end_;
  ProcessTrees::Signalled signalled_;
  ProcessEnd end_;
};

void Process::Impl::Start(const ProcessSpec& spec) {
  started_ = std::chrono::steady_clock::now();
  Launcher::Result result = resources_->launcher.Start(spec.launch);
  launched_ = std::move(result.launched);
  if (launched_.pid > 0) resources_->Add({launched_.pid, spec.job_id});
  end_.failure = result.failure;
  if (end_.failure.errno_value == 0) Watch(spec);
  if (end_.failure.errno_value == 0) return;
  if (launched_.pid > 0) kill(launched_.pid, SIGKILL);
  asio::post(resources_->loop, [self = shared_from_this()] {
    if (self->resources_ != nullptr) self->Finish();
  });
}

// Fails, in end_, when the kernel lets the loop watch no more descriptors.
void Process::Impl::Watch(const ProcessSpec& spec) {
  budget_.left = spec.output_max;
  std::array<Fd, 2> pipes = {std::move(launched_.output), std::move(launched_.error_output)};
  for (size_t i = 0; i < pipes.size(); ++i) {
    captures_[i] = std::make_shared<Capture>(resources_->loop, resources_->disk,
                                             resources_->options.spool_folder, budget_, outputs_[i],
                                             shared_from_this());
    end_.failure.errno_value = captures_[i]->Start(std::move(pipes[i]));
    if (end_.failure.errno_value != 0) return captures_[i].reset();
  }
  boost::system::error_code error;
  exit_.assign(launched_.pidfd.get(), error);
  end_.failure.errno_value = error.value();
  if (error) return;
  static_cast<void>(launched_.pidfd.Release());
  exit_.async_wait(Descriptor::wait_read,
                   [self = shared_from_this()](const boost::system::error_code& failed) {
                     if (!failed && self->resources_ != nullptr) self->OnExit();
                   });
  deadline_.expires_after(absl::ToChronoNanoseconds(spec.timeout));
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
    if (!failed && self->resources_ != nullptr && !self->exited_) self->End(EndCause::kTimeout);
  });
}

void Process::Impl::OnExit() {
  exited_ = true;
  end_.time = absl::Now();
  end_.duration = absl::FromChrono(std::chrono::steady_clock::now() - started_);
  deadline_.cancel();
  if (phase_ != Phase::kEnded) Advance();
}

bool Process::Impl::captured() const {
  return std::all_of(captures_.begin(), captures_.end(),
                     [](const auto& capture) { return capture == nullptr || capture->closed(); });
}

void Process::Impl::OnCaptured(Capture& capture) {
  if (resources_ == nullptr) return;
  observer_->OnProcessOutput(&capture == captures_[0].get() ? OutputStream::kStdout
                                                            : OutputStream::kStderr);
}

void Process::Impl::OnCaptureFull(Capture&, const absl::Status& error) {
  if (resources_ == nullptr) return;
  if (!error.ok())
    spdlog::error("pid {}: ended, since its output cannot be kept: {}", pid(), error.ToString());
  if (end_.cause == EndCause::kNone) end_.cause = EndCause::kOutputLimit;
  StartEnding();
}

void Process::Impl::OnCaptureClosed(Capture&) {
  if (resources_ != nullptr && phase_ != Phase::kEnded) Advance();
}

void Process::Impl::End(EndCause cause) {
  if (phase_ == Phase::kEnded) return;
  // The outcome of a command that has ended by itself stays what it is, whatever becomes of its
  // descendants.
  if (!exited_ && end_.cause == EndCause::kNone) end_.cause = cause;
  if (cause == EndCause::kCancelled) {
    for (const auto& capture : captures_) {
      if (capture != nullptr) capture->Close();
    }
  }
  StartEnding();
}

void Process::Impl::Advance() {
  if (!exited_) return;
  const bool ending = phase_ == Phase::kTerminating || phase_ == Phase::kKilling;
  // What is in the pipes is not read yet, or somebody may still write.
  if (!captured() && !ending) return Drain();
  const bool survivors = resources_->trees.HasSurvivors(pid());
  if (!survivors) return captured() ? Finish() : Drain();
  if (ending) return StartRound();
  StartEnding();
}

// Waits for the end of the output, not for long. Advance() follows.
void Process::Impl::Drain() {
  if (phase_ == Phase::kRunning) phase_ = Phase::kDraining;
  if (std::exchange(draining_, true)) return;
  deadline_.expires_after(absl::ToChronoNanoseconds(resources_->options.drain_timeout));
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->resources_ != nullptr && self->phase_ != Phase::kEnded) self->OnDrained();
  });
}

void Process::Impl::OnDrained() {
  draining_ = false;
  end_.output_may_be_incomplete = !captured();
  if (phase_ == Phase::kDraining && resources_->trees.HasSurvivors(pid())) return StartEnding();
  // A stranger to whom the pipe was handed holds it.
  for (const auto& capture : captures_) capture->Close();
}

void Process::Impl::StartEnding() {
  if (phase_ != Phase::kRunning && phase_ != Phase::kDraining) return;
  phase_ = Phase::kTerminating;
  phase_end_ = absl::Now() + resources_->options.grace;
  StartRound();
}

// One search for living processes of the tree. /proc is read on another thread; what is in it is
// judged here, where it is known which commands run.
void Process::Impl::StartRound() {
  if (std::exchange(searching_, true)) return;
  asio::post(resources_->disk, [self = shared_from_this(), &loop = resources_->loop] {
    std::vector<ProcessRow> rows = ReadProcesses();
    asio::post(loop, [self, rows = std::move(rows)] {
      self->searching_ = false;
      if (self->resources_ != nullptr && self->phase_ != Phase::kEnded) self->OnRound(rows);
    });
  });
}

void Process::Impl::OnRound(const std::vector<ProcessRow>& rows) {
  if (exited_ && !resources_->trees.HasSurvivors(pid())) return Advance();
  const absl::Time now = absl::Now();
  if (now >= phase_end_) {
    if (phase_ == Phase::kKilling) {
      spdlog::error("pid {}: given up: SIGKILL does not end all of its processes", pid());
      for (const auto& capture : captures_) capture->Close();
      return Finish();
    }
    phase_ = Phase::kKilling;
    phase_end_ = now + kKillPatience;
    round_pause_ = kRoundPauseMin;
    signalled_.clear();
  }
  resources_->trees.Signal(pid(), rows, phase_ == Phase::kKilling ? SIGKILL : SIGTERM, &signalled_);
  pause_.expires_after(round_pause_);
  round_pause_ = std::min(round_pause_ * 2, kRoundPauseMax);
  pause_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->resources_ != nullptr && self->phase_ != Phase::kEnded) self->StartRound();
  });
}

void Process::Impl::Finish() {
  phase_ = Phase::kEnded;
  if (pid() > 0) {
    // Waits only for a process that has just been killed for want of descriptors.
    const bool given_up = !exited_ && exit_.is_open();
    if (!given_up) wait4(pid(), &end_.wait_status, 0, &end_.usage);
    resources_->trees.Remove(pid(), /*reaped=*/!given_up);
  }
  if (end_.failure.errno_value == 0) end_.failure = ReadLaunchFailure(launched_.status);
  if (!exited_) {
    end_.time = absl::Now();
    end_.duration = absl::FromChrono(std::chrono::steady_clock::now() - started_);
  }
  launched_.status.Reset();
  deadline_.cancel();
  pause_.cancel();
  observer_->OnProcessEnd(end_);
}

void Process::Impl::Abandon() {
  ProcessResources* const resources = std::exchange(resources_, nullptr);
  if (phase_ != Phase::kEnded && pid() > 0) {
    const absl::Time patience = absl::Now() + kKillPatience;
    bool gone = false;
    while (!gone && absl::Now() < patience) {
      signalled_.clear();
      resources->trees.Signal(pid(), ReadProcesses(), SIGKILL, &signalled_);
      siginfo_t info{};
      gone = waitid(P_PID, static_cast<id_t>(pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
             info.si_pid == pid() && !resources->trees.HasSurvivors(pid());
      // Called from a destructor: no loop is left to wait on, and no descriptor tells of
      // grandchildren.
      if (!gone) std::this_thread::sleep_for(kRoundPauseMin);
    }
    if (gone) waitpid(pid(), nullptr, 0);
    resources->trees.Remove(pid(), gone);
  }
  boost::system::error_code ignored;
  exit_.close(ignored);
  deadline_.cancel();
  pause_.cancel();
  for (auto& capture : captures_) {
    if (capture != nullptr) capture->Close();
    capture.reset();
  }
}

// ---- Process

std::unique_ptr<Process> Process::Start(ProcessResources& resources, const ProcessSpec& spec,
                                        ProcessObserver& observer) {
  auto impl = std::make_shared<Impl>(resources, observer);
  impl->Start(spec);
  return std::unique_ptr<Process>(new Process(std::move(impl)));
}

Process::Process(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Process::~Process() { impl_->Abandon(); }
pid_t Process::pid() const { return impl_->pid(); }
const Output& Process::output(OutputStream stream) const { return impl_->output(stream); }
void Process::End(EndCause cause) { impl_->End(cause); }

}  // namespace rawgate::exec
