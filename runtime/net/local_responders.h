// Which UDP addresses of this machine are those of a rawgate responder, whatever process it runs in
// and whatever port it has: two of them must never answer each other. Each bound address is
// announced by an abstract Unix socket (unix(7)) with a name made of it, which lives as long as its
// process and in the same network namespace as the address. (Whoever may run programs here can
// announce an address that is none, and so keep that address from being answered, and no more.)
#pragma once

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::net {

// The announcement of `bound`, a UDP address, for as long as it is open. Empty when that fails,
// which leaves the rules of datagram_rules.h.
Fd AnnounceResponder(const Endpoint& bound);

// One thread.
class LocalResponders {
 public:
  LocalResponders();

  // Whether `source`, a UDP address, is announced, as itself or by a socket that is bound to all
  // addresses of this machine. Two system calls, seldom more.
  bool Contains(const Endpoint& source) const;

 private:
  bool IsAnnounced(absl::string_view uri) const;

  const Fd probe_;
};

}  // namespace rawgate::net
