#include "runtime/host/systemd.h"

#include <algorithm>
#include <cstdint>

#include <systemd/sd-daemon.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"
#include "runtime/net/inherited_sockets.h"

namespace rawgate::host::systemd {
namespace {

// What stands for "inf" to a service manager that knows numbers only.
constexpr absl::Duration kLongestStop = absl::Hours(24 * 365);

// A service manager that does not listen is no reason not to serve.
void Notify(const std::string& state) { ::sd_notify(/*unset_environment=*/0, state.c_str()); }

}  // namespace

absl::Status TakeSockets() {
  const int count = ::sd_listen_fds(/*unset_environment=*/1);
  if (count < 0) {
    return FieldError("listen", "BAD_SOCKET",
                      ErrnoError(-count, "sockets of the service manager").message());
  }
  for (int i = 0; i < count; ++i) {
    absl::Status added = net::AddInheritedSocket(Fd(SD_LISTEN_FDS_START + i));
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

void SayReady(const std::string& status) { Notify(absl::StrCat("READY=1\nSTATUS=", status)); }

void SayStopping(const std::string& status, absl::Duration at_most) {
  std::string state = absl::StrCat("STOPPING=1\nSTATUS=", status);
  // However long the grace, nobody has to give the service manager the same number.
  absl::StrAppend(
      &state, "\nEXTEND_TIMEOUT_USEC=", absl::ToInt64Microseconds(std::min(at_most, kLongestStop)));
  Notify(state);
}

absl::Duration WatchdogTimeout() {
  uint64_t microseconds = 0;
  const int enabled = ::sd_watchdog_enabled(/*unset_environment=*/0, &microseconds);
  return enabled > 0 ? absl::Microseconds(microseconds) : absl::ZeroDuration();
}

void SayAlive() { Notify("WATCHDOG=1"); }

}  // namespace rawgate::host::systemd
