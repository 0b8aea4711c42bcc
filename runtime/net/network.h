// A network in CIDR notation (RFC 4632, RFC 4291): which addresses a rule is about. Pure.
#pragma once

#include <array>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

// A value.
class Network {
 public:
  // "10.0.0.0/8", "2001:db8::/32", or one address. Errors: INVALID_ARGUMENT (BAD_NETWORK), such as
  // an address with bits set beyond its prefix, which is likelier a slip than meant.
  static absl::StatusOr<Network> Parse(absl::string_view text);

  // False for Unix sockets. An IPv4 address that came in over IPv6 (::ffff:10.0.0.1) is in the IPv4
  // network.
  bool Contains(const Endpoint& endpoint) const;

 private:
  // IPv4 as ::ffff:0:0/96, so that there is one kind.
  using Bytes = std::array<uint8_t, 16>;
  Bytes address_{};
  unsigned prefix_ = 128;
};

}  // namespace rawgate::net
