// What the flags of flags.h say of listeners.
#pragma once

#include "absl/status/statusor.h"
#include "runtime/host/listener_options.h"
#include "runtime/net/datagram_listener.h"
#include "runtime/net/stream_listener.h"

namespace rawgate::host {

// Whether they make sense, before anything is bound; ports that are never to be answered
// (--responder_ports) are not from here on. Errors: INVALID_ARGUMENT (BAD_OPTION), as FieldError.
absl::Status CheckListenerFlags();

net::StreamOptions StreamOptionsFromFlags();

// The same for the listener at `address`. One of tls:// takes the option client_certificates from
// `options`. Errors: INVALID_ARGUMENT (BAD_OPTION) when the flags --tls_* do not make a TLS
// listener.
absl::StatusOr<net::StreamOptions> StreamOptionsFor(const net::Endpoint& address,
                                                    ListenerOptions& options);

// `options` with the rates of the flags, but for a rate per source that it has itself.
net::DatagramOptions WithRatesFromFlags(net::DatagramOptions options);

}  // namespace rawgate::host
