// Which of the datagrams that come are served: all the rules of datagram_listener.h in one place.
#pragma once

#include "runtime/net/datagram_listener.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/net/local_responders.h"
#include "runtime/net/source_rate_limiter.h"

namespace rawgate::net {

// One thread.
class DatagramGate {
 public:
  // `options` and `handler` outlive this object.
  DatagramGate(const DatagramOptions& options, DatagramHandler& handler)
      : options_(options), handler_(handler), limiter_(options.rates) {}

  // Whether the datagram may be served, and takes what that takes from the rates. `to_many`: it was
  // sent to a broadcast or multicast address.
  DropReason Judge(const Datagram& datagram, bool to_many, bool trusted, Nanoseconds now);

  // Whether a source that was let pass is a responder in another process of this machine after all.
  bool IsLocalResponder(const Endpoint& source) const;

  // Whether the source of a datagram that was found too fast is to be told so.
  bool TakeNotice(const Datagram& datagram, Nanoseconds now) {
    return limiter_.TakeNotice(SourceNetwork::Of(datagram.peer.data()), now);
  }

 private:
  const DatagramOptions& options_;
  DatagramHandler& handler_;
  SourceRateLimiter limiter_;
  const LocalResponders local_responders_;
};

}  // namespace rawgate::net
