// How a client of a stream is called.
#pragma once

#include <string>

#include "runtime/net/endpoint.h"

namespace rawgate::net {

// Of the accepted socket `fd`: "tcp://127.0.0.1:40312", "tls://127.0.0.1:40312", or
// "unix:pid=812,uid=1000".
std::string PeerNameOf(Transport transport, int fd);

}  // namespace rawgate::net
