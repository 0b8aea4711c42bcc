// What every rawgate server process shares: flags with their environment variables, logging, stop
// signals, the ready line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/host/listener_options.h"
#include "runtime/host/watchdog.h"
#include "runtime/net/endpoint.h"

namespace rawgate::host {

// An address off loopback is refused, unless whoever comes is asked who he is (`guarded`) or
// --allow_insecure_bind is given: FAILED_PRECONDITION (INSECURE_BIND). `remedy` is for people: what
// would make it guarded.
absl::Status CheckBind(const net::Endpoint& endpoint, bool guarded = false,
                       absl::string_view remedy = {});

struct ProcessDefinition {
  // "echo", "gateway"; also the name in logs and in the ready line.
  std::string name;
  // Default of --listen, such as "tcp=tcp://127.0.0.1:8080,tcp=tcp://[::1]:8080". Without
  // those at [::1] on machines that have no such address.
  std::string default_listen;
  // Default of --rpc_listen; empty for the gateway, which has none.
  std::string default_rpc_listen;
  // Default of --http_listen.
  std::string default_http_listen;
  // For --help: what it does and two or three example invocations.
  std::string usage;
};

struct NamedEndpoint {
  // As given: which handler serves it.
  std::string role;
  // Unique: the second address of a role is "role-2".
  std::string name;
  net::Endpoint endpoint;
  ListenerOptions options;
};

class Process {
 public:
  // Parses flags (see command_line.h), takes the sockets that a service manager has bound for it
  // (systemd.h), and blocks SIGINT, SIGTERM and SIGPIPE for all threads started later. On bad flags
  // prints one line and exits with 2. With the argument `healthcheck` it asks the process that runs
  // with the same settings for its health, and exits with 0 or 1.
  Process(int argc, char** argv, ProcessDefinition definition);

  const std::string& name() const { return definition_.name; }
  // From --listen, in order.
  const std::vector<NamedEndpoint>& listen() const { return listen_; }
  // From --rpc_listen.
  const net::Endpoint& rpc_listen() const { return rpc_listen_; }
  absl::Duration grace() const;

  // When all addresses are bound. Error: INVALID_ARGUMENT (BAD_LISTEN), as FieldError, when sockets
  // were handed over that nothing listens on.
  absl::Status CheckSockets() const;
  // Prints the ready line, and tells the service manager. `rpc_uri` empty leaves that key out.
  void PrintReady(const std::string& rpc_uri,
                  const std::vector<std::pair<std::string, std::string>>& listeners) const;
  // Blocks until SIGINT or SIGTERM, and tells the service manager that the process stops. Meanwhile
  // its watchdog, if there is one, is told that the process is alive, as long as those loops
  // answer. A second signal, after this has returned, ends the process at once with status 130 or
  // 143.
  void WaitForStopSignal(const AskLoops& ask_loops);

  // Logs the error and returns 1, or 2 where a flag was wrong (FieldError): for `return
  // process.Fail(status)` in a main.
  int Fail(const absl::Status& status) const;

 private:
  // From the flags; exits with 2 when they make no sense.
  void ReadAddresses();
  int Healthcheck() const;

  ProcessDefinition definition_;
  std::vector<NamedEndpoint> listen_;
  net::Endpoint rpc_listen_;
};

}  // namespace rawgate::host
