// The flags that only rawgate-file has.
#pragma once

#include "services/file/file_core.h"

namespace rawgate::file {

// Without `background`.
FileCore::Options OptionsFromFlags();

}  // namespace rawgate::file
