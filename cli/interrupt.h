// Ctrl-C and its relatives, ending a command in good order: the call is cancelled, so that a remote
// command ends, and a half-written file or a changed terminal is put right before the program goes.
#pragma once

#include <functional>
#include <list>
#include <mutex>

namespace rawgate::cli {

// Any thread.
class Interrupt {
 public:
  // Something that can be ended, for as long as this object lives. `end` is called at most once,
  // from another thread, or at once when the signal came before; it must not block.
  class Scope {
   public:
    Scope(Interrupt& interrupt, std::function<void()> end);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Interrupt& interrupt_;
    std::list<std::function<void()>>::iterator entry_;
  };

  // Ends everything in scope. False when there is nothing in scope or a signal came before: the
  // process should then end at once.
  bool Deliver(int signal);

  // The signal that came; 0 when none did.
  int signal() const;

 private:
  mutable std::mutex mutex_;
  int signal_ = 0;
  std::list<std::function<void()>> ends_;
};

// Takes SIGINT, SIGTERM and SIGHUP (those that were not ignored) away from the process's threads
// and delivers them to `interrupt`, which must outlive the process's other work. Call once, before
// any thread is started.
void DeliverSignals(Interrupt& interrupt);

// Ends the process by `signal` as if it had never been caught, so that the shell knows: a loop in a
// script then stops too.
[[noreturn]] void EndBySignal(int signal);

}  // namespace rawgate::cli
