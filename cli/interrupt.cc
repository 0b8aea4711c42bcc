#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <thread>
#include <utility>

namespace rawgate::cli {

Interrupt::Scope::Scope(Interrupt& interrupt, std::function<void()> end) : interrupt_(interrupt) {
  const std::lock_guard lock(interrupt_.mutex_);
  if (interrupt_.signal_ != 0) end();
  entry_ = interrupt_.ends_.insert(interrupt_.ends_.end(), std::move(end));
}

Interrupt::Scope::~Scope() {
  const std::lock_guard lock(interrupt_.mutex_);
  interrupt_.ends_.erase(entry_);
}

bool Interrupt::Deliver(int signal) {
  const std::lock_guard lock(mutex_);
  if (ends_.empty() || signal_ != 0) return false;
  signal_ = signal;
  for (const auto& end : ends_) end();
  return true;
}

int Interrupt::signal() const {
  const std::lock_guard lock(mutex_);
  return signal_;
}

void DeliverSignals(Interrupt& interrupt) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    // nohup(1) and background jobs have told us to ignore some.
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler != SIG_IGN) {
      sigaddset(&signals, signal);
    }
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // Waits for signals until the process ends: there is nothing to join it for.
  std::thread([signals, &interrupt] {
    int signal = 0;
    while (sigwait(&signals, &signal) == 0) {
      if (!interrupt.Deliver(signal)) EndBySignal(signal);
    }
  }).detach();
}

void EndBySignal(int signal) {
  std::signal(signal, SIG_DFL);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  raise(signal);
  _exit(128 + signal);
}

}  // namespace rawgate::cli
