// Waiting for a signal while a watchdog is told that the process is alive.
#pragma once

#include <signal.h>

#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace rawgate::host {

// Gives every loop that raw clients are served or calls forwarded on (not that of the HTTP pages,
// and not gRPC's threads) a copy of the token, which it lets go of in a turn of its own.
using AskLoops = std::function<void(const std::shared_ptr<void>& token)>;

// Returns one of `signals`, which are blocked. Meanwhile `say_alive` is called at least once in
// every `timeout` in which all those loops answer, and not while one of them does not; never when
// it is 0.
int AwaitSignal(const sigset_t& signals, absl::Duration timeout, const AskLoops& ask_loops,
                const std::function<void()>& say_alive);

}  // namespace rawgate::host
