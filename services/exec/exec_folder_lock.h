// A folder that one process makes, and that another is to remove when the first was killed.
#pragma once

#include <string>

#include "runtime/base/fd.h"

namespace rawgate::exec {

// Locks `folder` (flock(2)) for as long as the descriptor is open, which is as long as the process
// lives. None when somebody else has it, when it is not ours, or when it has been removed or
// replaced meanwhile.
Fd LockFolder(const std::string& folder);

}  // namespace rawgate::exec
