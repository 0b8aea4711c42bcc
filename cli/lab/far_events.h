// Events of a service, and which of them are about one connection.
#pragma once

#include <string>
#include <vector>

#include "rawgate/control/v1/event.pb.h"

namespace rawgate::cli::lab {

using Events = std::vector<control::v1::Event>;

// What of `events` is about the connection that came to `listener` from `peer` (a URI, or
// "unix:pid=N" for any of that process). Where no connection's peer is that (addresses are
// translated on the way) and one alone was opened, it is that one's.
Events OfConnection(const Events& events, const std::string& listener, const std::string& peer);

}  // namespace rawgate::cli::lab
