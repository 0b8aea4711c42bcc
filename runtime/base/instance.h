// Names for instances of a process, so that counters of one are never taken for those of another.
#pragma once

#include <string>

namespace rawgate {

// Sixteen hexadecimal digits, random.
std::string RandomInstance();

}  // namespace rawgate
