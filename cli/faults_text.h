// What a listener does wrong on purpose, in a few words.
#pragma once

#include <string>

#include "rawgate/control/v1/fault.pb.h"

namespace rawgate::cli {

// "received: delay 20ms, loss 5%; sent: cut after 100 B": without the seed. Empty where there are
// none.
std::string FaultsText(const control::v1::Faults& faults);

// What they have done so far: "3 lost, 1 duplicated"; empty where that is nothing.
std::string FaultCountersText(const control::v1::FaultCounters& counters);

}  // namespace rawgate::cli
