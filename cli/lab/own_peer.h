// The other side of a connection where a live service will not do: one that dies, or goes deaf, or
// never accepts. Nothing of it takes privileges.
#pragma once

#include <sys/types.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/lab/address.h"
#include "runtime/base/fd.h"

namespace rawgate::cli::lab {

// A socket of `type` (SOCK_STREAM or SOCK_DGRAM) bound to a port of 127.0.0.1 that was free;
// streams listen with `backlog`. Errors: ErrnoError().
absl::StatusOr<Fd> BindLoopback(int type, int backlog = 1);

struct Pair {
  Fd client;
  Fd service;
  Address address;  // of `service`
};

// A TCP connection within this process. Errors: ErrnoError().
absl::StatusOr<Pair> ConnectedPair();

// From now on the kernel drops whatever comes for `fd`, before TCP sees it (SO_ATTACH_FILTER with a
// program that takes nothing, socket(7)): no data, no acknowledgement, no reset. To the other side
// that is a machine without power or a cable that was pulled. Errors: ErrnoError().
absl::Status GoDeaf(int fd);

// Another process that has a socket and does nothing, so that it can be killed.
class HoldingProcess {
 public:
  // Starts it with `socket`, which this process gives up. Errors: ErrnoError().
  static absl::StatusOr<HoldingProcess> Start(Fd socket);
  // Kills it.
  ~HoldingProcess() { Kill(); }
  HoldingProcess(HoldingProcess&& other) noexcept : pid_(other.pid_) { other.pid_ = 0; }
  HoldingProcess& operator=(HoldingProcess&&) = delete;

  // SIGKILL. Returns once it is gone.
  void Kill();

 private:
  explicit HoldingProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

}  // namespace rawgate::cli::lab
