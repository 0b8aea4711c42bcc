// What a target of --backends stands for: addresses, or a name that is looked up again and again.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/net/endpoint.h"

namespace rawgate::gateway {

// Replicas of one service that are watched; a name may list more, of which the first in order are.
inline constexpr size_t kReplicasMax = 64;

struct Target {
  // gRPC targets of one address each, such as "ipv4:10.0.0.3:50061", in order and each once; empty
  // where there is a name instead.
  std::vector<std::string> addresses = {};
  // What is to be looked up, and the number or the name of the port; empty where addresses are
  // given.
  std::string host = {};
  std::string port = {};
};

// "dns:///echo:50061", and "echo:50061" alone, are names; "ipv4:10.0.0.3:1,10.0.0.4:1" and
// "ipv6:[::1]:1,[::2]:1" as many addresses as they list; "127.0.0.1:50061" is one, and so are
// "unix:///run/echo.sock" and "unix-abstract:echo". Error: INVALID_ARGUMENT (BAD_BACKENDS).
absl::StatusOr<Target> ParseTarget(absl::string_view text);

// Where one of Target::addresses is. Errors: INVALID_ARGUMENT (BAD_BACKENDS), as for a zone that
// the machine does not have.
absl::StatusOr<net::Endpoint> EndpointOf(absl::string_view address);

// "ipv4:HOST:PORT", "ipv6:[HOST]:PORT": `host` is numeric, and `port`.
std::string AddressTarget(const std::string& host, const std::string& port);

}  // namespace rawgate::gateway
