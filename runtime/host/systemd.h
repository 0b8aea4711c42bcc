// What a service manager that speaks systemd's protocols does for a process: it binds sockets for
// it (sd_listen_fds(3)), hears of its state (sd_notify(3)) and restarts it when it is stuck
// (sd_watchdog_enabled(3)). Without one, nothing here does anything.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rawgate::host::systemd {

// Has the sockets that were bound for this process taken by whoever binds their addresses: see
// net/inherited_sockets.h. Once, before there are threads or children; the environment does not
// tell of them any more. Errors:
// those of net::AddInheritedSocket(), and the same for an environment that makes no sense.
absl::Status TakeSockets();

// It serves; `status` is for people.
void SayReady(const std::string& status);
// It drains, and is gone after `at_most`.
void SayStopping(const std::string& status, absl::Duration at_most);

// After how long without SayAlive() the process is taken for stuck; 0: nobody looks.
absl::Duration WatchdogTimeout();
void SayAlive();

}  // namespace rawgate::host::systemd
