// Numbers for narrow columns: at most five characters each.
#pragma once

#include <string>

namespace rawgate::cli {

// Bytes: "0", "312", "4.0K", "85K", "1.2M"; K is 1024.
std::string CompactSize(double bytes);

// Others: "0", "3", "0.3", "12", "48000", "120k"; k is 1000. Only what is 0 is shown as "0".
std::string CompactCount(double count);

}  // namespace rawgate::cli
