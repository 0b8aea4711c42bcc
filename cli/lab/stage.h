// What lessons run on: the live listeners, the watch of what their services tell, and Ctrl-C.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/interrupt.h"
#include "cli/lab/address.h"
#include "rawgate/control/v1/state.pb.h"
#include "runtime/base/fd.h"

// gRPC's headers are slow to compile, and experiments need none of them.
namespace rawgate::cli {
class Gateway;
struct Context;
}  // namespace rawgate::cli

namespace rawgate::cli::lab {

class FarWatch;

// A live listener, and how to get there from here.
struct Target {
  std::string service;
  std::string listener;
  std::string instance;
  Address address;
  // As people know it: "echo/tcp".
  std::string Name() const { return service + "/" + listener; }
};

// How long a lesson waits for what should come at once.
inline constexpr absl::Duration kPatience = absl::Seconds(5);

// One thread, but for what Ctrl-C does.
class Stage {
 public:
  // `addresses`: by "echo/tcp", where to find listeners that are not where they say (--address).
  Stage(Context& context, std::map<std::string, std::string> addresses);

  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  Gateway& gateway();

  // The first listener of `role` (such as "tcp", also for "tcp-2") that runs and has that
  // transport. Errors: FAILED_PRECONDITION (LISTENER_MISSING: it says how to start it), those of
  // ListServices and of Address::Parse().
  absl::StatusOr<Target> Find(const std::string& service, const std::string& role,
                              control::v1::Transport transport);

  // The watch of `service`, begun with the first call.
  absl::StatusOr<FarWatch*> Watch(const std::string& service);

  // Until `fd` has one of `events`, which is then returned; 0 at `deadline`. With fd -1: until
  // then. Errors: CANCELLED (INTERRUPTED) after Ctrl-C.
  absl::StatusOr<short> Wait(int fd, short events, absl::Time deadline);

 private:
  // Where `bound_address` of `name` is from here.
  absl::StatusOr<Address> Reachable(const std::string& name, const std::string& bound_address);

  Context& context_;
  const std::map<std::string, std::string> addresses_;
  std::map<std::string, std::unique_ptr<FarWatch>> watches_;
  // Becomes readable with Ctrl-C.
  const Fd interrupted_;
  const Interrupt::Scope scope_;
};

}  // namespace rawgate::cli::lab
