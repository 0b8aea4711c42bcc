#include "services/exec/exec_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

#include "absl/time/clock.h"
#include "runtime/base/log.h"
#include "services/exec/exec_capture.h"
#include "services/exec/exec_command_tree.h"
#include "services/exec/exec_process_resources.h"
#include "services/exec/exec_sandbox_entry.h"

namespace rawgate::exec {

namespace asio = boost::asio;

class Process::Impl final : public Capture::Events,
                            public CommandTree::Events,
                            public std::enable_shared_from_this<Process::Impl> {
 public:
  Impl(ProcessResources& resources, ProcessObserver& observer)
      : resources_(&resources),
        observer_(&observer),
        tree_(std::make_shared<CommandTree>(resources, *this)),
        sandbox_(resources),
        deadline_(resources.loop.get_executor()) {}

  void Start(const ProcessSpec& spec);
  void End(EndCause cause);
  void Abandon();
  int Resize(WindowSize size);
  void SetNeeded(OutputStream stream, uint64_t offset);
  void Signal(int signal, bool all, std::function<void()> sent) {
    tree_->Signal(signal, all, std::move(sent));
  }

  CommandInput* input() const { return input_.get(); }
  bool has_terminal() const { return terminal_; }
  pid_t pid() const { return tree_->pid(); }
  const Output& output(OutputStream stream) const { return outputs_[static_cast<size_t>(stream)]; }

 private:
  void OnStarted() override;
  void OnStartFailed(const LaunchFailure& failure) override;
  void OnExited(int wait_status, const rusage& usage) override;
  void OnGone() override;
  void OnCaptured(Capture& capture) override;
  void OnCaptureFull(Capture& capture, const absl::Status& error) override;
  void OnCaptureClosed(Capture& capture) override;

  // The value is an errno.
  int StartCommand(const ProcessSpec& spec);
  void StartCaptures();
  void CloseCaptures();
  bool captured() const;
  void SetEndTime();
  // Waits for the rest, or finishes.
  void Advance();
  void StartDraining();
  void OnDrained();
  void Finish();

  // Null once abandoned: nothing may happen any more.
  ProcessResources* resources_;
  ProcessObserver* observer_;
  std::chrono::steady_clock::time_point started_;
  // Null once abandoned. Also held by itself while it calls.
  std::shared_ptr<CommandTree> tree_;
  SandboxEntry sandbox_;
  // Of the command, then of its output.
  Timer deadline_;
  absl::Time deadline_end_;
  absl::Duration drain_timeout_;
  uint64_t keep_last_ = Capture::kNobody;
  bool terminal_ = false;
  std::shared_ptr<CommandInput> input_;
  OutputBudget budget_;
  std::array<Output, 2> outputs_;
  // Until they are captured.
  std::array<Fd, 2> pipes_;
  std::array<std::shared_ptr<Capture>, 2> captures_;
  std::array<uint64_t, 2> needed_{Capture::kNobody, Capture::kNobody};
  // The command itself has ended.
  bool exited_ = false;
  // So have all that it started.
  bool gone_ = false;
  bool finished_ = false;
  ProcessEnd end_;
};

void Process::Impl::Start(const ProcessSpec& spec) {
  started_ = std::chrono::steady_clock::now();
  const int error = StartCommand(spec);
  if (error == 0) return;
  asio::post(resources_->loop, [self = shared_from_this(), error] {
    if (self->resources_ != nullptr) self->OnStartFailed({LaunchStage::kSpawn, error});
  });
}

int Process::Impl::StartCommand(const ProcessSpec& spec) {
  CommandStreams streams;
  Launch inside;
  int error = sandbox_.Open(spec.launch, &inside, &streams);
  if (error == 0) error = tree_->Start(inside, streams);
  if (error != 0) return error;
  pipes_ = {std::move(streams.output_reader), std::move(streams.error_output_reader)};
  terminal_ = streams.terminal;
  drain_timeout_ = spec.drain_timeout;
  keep_last_ = spec.keep_last;
  if (streams.input_writer) {
    input_ = std::make_shared<CommandInput>(resources_->loop, std::move(streams.input_writer),
                                            terminal_);
  }
  budget_.left = spec.output_max;
  deadline_end_ = absl::Now() + spec.timeout;
  deadline_.expires_after(absl::ToChronoNanoseconds(spec.timeout));
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& failed) {
    if (!failed && self->resources_ != nullptr && !self->exited_) self->End(EndCause::kTimeout);
  });
  return 0;
}

void Process::Impl::OnStarted() {
  observer_->OnProcessStarted(pid());
  // Not before: a short command's output is read after its end, all at once.
  if (resources_ != nullptr) StartCaptures();
}

void Process::Impl::StartCaptures() {
  for (size_t i = 0; i < pipes_.size(); ++i) {
    if (!pipes_[i]) continue;
    captures_[i] = std::make_shared<Capture>(resources_->loop, resources_->disk,
                                             resources_->options.spool_folder, budget_, outputs_[i],
                                             shared_from_this());
    captures_[i]->KeepLast(keep_last_);
    captures_[i]->SetNeeded(needed_[i]);
    captures_[i]->Start(std::move(pipes_[i]));
  }
}

void Process::Impl::SetNeeded(OutputStream stream, uint64_t offset) {
  const auto i = static_cast<size_t>(stream);
  needed_[i] = offset;
  if (captures_[i] != nullptr) captures_[i]->SetNeeded(offset);
}

int Process::Impl::Resize(WindowSize size) {
  int terminal = pipes_[0].get();
  if (captures_[0] != nullptr) terminal = captures_[0]->native_handle();
  // Nobody has it open any more.
  return terminal < 0 ? ENOTTY : SetWindowSize(terminal, size);
}

void Process::Impl::OnStartFailed(const LaunchFailure& failure) {
  end_.failure = failure;
  gone_ = true;
  CloseCaptures();
  SetEndTime();
  Advance();
}

void Process::Impl::OnExited(int wait_status, const rusage& usage) {
  end_.wait_status = wait_status;
  end_.usage = usage;
  sandbox_.CorrectEnd(&end_.wait_status, &end_.usage, &end_.failure);
  SetEndTime();
  // Its output may not have come to its end, nor those that it started.
  StartDraining();
}

void Process::Impl::SetEndTime() {
  exited_ = true;
  end_.time = absl::Now();
  end_.duration = absl::FromChrono(std::chrono::steady_clock::now() - started_);
}

void Process::Impl::OnGone() {
  gone_ = true;
  for (const auto& capture : captures_) {
    if (capture != nullptr) capture->Finish();
  }
  // Who else may hold the output, or what is still in the pipes.
  StartDraining();
}

bool Process::Impl::captured() const {
  return std::all_of(captures_.begin(), captures_.end(),
                     [](const auto& capture) { return capture == nullptr || capture->closed(); });
}

void Process::Impl::CloseCaptures() {
  pipes_ = {};
  for (const auto& capture : captures_) {
    if (capture != nullptr) capture->Close();
  }
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
  tree_->End();
}

void Process::Impl::OnCaptureClosed(Capture&) {
  if (resources_ != nullptr) Advance();
}

void Process::Impl::End(EndCause cause) {
  if (finished_) return;
  // The outcome of a command that has ended by itself stays what it is, whatever becomes of its
  // descendants.
  if (!exited_ && end_.cause == EndCause::kNone) end_.cause = cause;
  if (cause == EndCause::kCancelled) CloseCaptures();
  tree_->End();
}

void Process::Impl::Advance() {
  if (!exited_ || finished_ || !captured()) return;
  if (gone_) return Finish();
  // Nobody waits for what it left behind and cannot be heard of any more.
  tree_->End();
}

void Process::Impl::StartDraining() {
  // What is left behind has no more time than the command had.
  const absl::Duration left = std::max(deadline_end_ - absl::Now(), absl::Seconds(1));
  deadline_.expires_after(absl::ToChronoNanoseconds(std::min(drain_timeout_, left)));
  deadline_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->resources_ != nullptr && !self->finished_) self->OnDrained();
  });
  Advance();
}

// Who still holds the output is ended, and what he writes meanwhile is kept. If it is not one of
// ours, since the pipe was handed to a stranger, nothing more is waited for.
void Process::Impl::OnDrained() {
  if (gone_ || !tree_->ending()) end_.output_may_be_incomplete = !captured();
  if (gone_) return CloseCaptures();
  tree_->End();
}

void Process::Impl::Finish() {
  finished_ = true;
  deadline_.cancel();
  if (input_ != nullptr) input_->Close();
  sandbox_.Leave();
  observer_->OnProcessEnd(end_);
}

void Process::Impl::Abandon() {
  resources_ = nullptr;
  sandbox_.Leave();
  if (input_ != nullptr) input_->Close();
  tree_.reset();
  deadline_.cancel();
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
CommandInput* Process::input() const { return impl_->input(); }
bool Process::has_terminal() const { return impl_->has_terminal(); }
int Process::Resize(WindowSize size) { return impl_->Resize(size); }
void Process::SetNeeded(OutputStream stream, uint64_t offset) { impl_->SetNeeded(stream, offset); }
void Process::Signal(int signal, bool all, std::function<void()> sent) {
  impl_->Signal(signal, all, std::move(sent));
}
void Process::End(EndCause cause) { impl_->End(cause); }

}  // namespace rawgate::exec
