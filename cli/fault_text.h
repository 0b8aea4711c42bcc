// Faults on purpose, in words for people.
#pragma once

#include <string>

#include "rawgate/control/v1/fault.pb.h"

namespace rawgate::cli {

// "sent: delay 100ms, jitter 20ms; seed 7"; what is done both ways is said once: "loss 10%; seed
// 7". Empty where there are none.
std::string FaultsText(const control::v1::Faults& faults);

// What they have done: "12 lost, 3 doubled". Empty where that is nothing yet.
std::string HitsText(const control::v1::FaultCounters& counters);

}  // namespace rawgate::cli
