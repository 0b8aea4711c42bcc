// Faults in words, for the log.
#pragma once

#include <string>

#include "runtime/net/faults.h"

namespace rawgate::net {

// "received: delay 100ms, jitter 20ms; sent: loss 0.1; seed 7". Empty where there are none.
std::string FaultsText(const Faults& faults);

}  // namespace rawgate::net
