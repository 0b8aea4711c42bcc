#include "runtime/host/watchdog.h"

#include "absl/synchronization/notification.h"

namespace rawgate::host {

int AwaitSignal(const sigset_t& signals, absl::Duration timeout, const AskLoops& ask_loops,
                const std::function<void()>& say_alive) {
  int signal = 0;
  if (timeout == absl::ZeroDuration()) {
    ::sigwait(&signals, &signal);
    return signal;
  }
  // What passes from one word to the next is two of these at most.
  const absl::Duration pause = timeout / 3;
  const timespec wait = absl::ToTimespec(pause);
  std::shared_ptr<absl::Notification> answered;
  while ((signal = ::sigtimedwait(&signals, nullptr, &wait)) <= 0) {
    // One question at a time: those to a loop that is stuck do not pile up.
    if (answered == nullptr) {
      answered = std::make_shared<absl::Notification>();
      ask_loops(std::shared_ptr<void>(nullptr, [answered](void*) { answered->Notify(); }));
    }
    if (!answered->WaitForNotificationWithTimeout(pause)) continue;
    say_alive();
    answered.reset();
  }
  return signal;
}

}  // namespace rawgate::host
