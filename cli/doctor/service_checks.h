// Services and listeners, as the gateway lists them.
#pragma once

#include <string>

#include "cli/doctor/check.h"
#include "rawgate/control/v1/control_service.pb.h"

namespace rawgate::cli {

// Each process: whether it answers, what it is doing, whether it is of this program's version. Each
// listener that is not as it should be. `local`: the services are on this machine, so that who has
// a port can be named.
void CheckServices(const control::v1::ListServicesResponse& services, const std::string& version,
                   bool local, CheckList& checks);

// Connects to every address that can be reached from here: with a gateway on this machine to all of
// them, else to those that are no loopback address. Datagrams are sent to echo and time alone;
// nobody at a chat is to be bothered. At most three seconds for each.
void ProbeListeners(const control::v1::ListServicesResponse& services, bool local,
                    const std::string& gateway_host, CheckList& checks);

}  // namespace rawgate::cli
