#include "runtime/net/datagram_gate.h"

namespace rawgate::net {

DropReason DatagramGate::Judge(const Datagram& datagram, bool to_many, bool trusted,
                               Nanoseconds now) {
  if (to_many) return DropReason::kBroadcast;
  const DropReason reason =
      CheckSource(datagram.peer, ResponderPorts::Global(), options_.answerable_port);
  if (reason != DropReason::kNone) return reason;
  if (!handler_.IsRequest(datagram)) return DropReason::kMalformed;
  if (trusted) return DropReason::kNone;
  switch (limiter_.Take(SourceNetwork::Of(datagram.peer.data()), now)) {
    case SourceRateLimiter::Verdict::kSourceTooFast:
      return DropReason::kSourceRate;
    case SourceRateLimiter::Verdict::kAllTooFast:
      return DropReason::kGlobalRate;
    case SourceRateLimiter::Verdict::kPass:
      break;
  }
  return DropReason::kNone;
}

bool DatagramGate::IsLocalResponder(const Endpoint& source) const {
  return source.family() != AF_UNIX && source.port() != options_.answerable_port &&
         local_responders_.Contains(source);
}

}  // namespace rawgate::net
