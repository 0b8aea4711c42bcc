// Commands in bubblewrap (bwrap(1)), with rawgate-exec-inner around them: exec_launcher.h says why.
#pragma once

#include <string>
#include <vector>

#include "runtime/base/fd.h"
#include "services/exec/exec_launcher.h"

namespace rawgate::exec {

// The arguments that run `argv` in `folder`, with nothing to write to but `own_folder`.
// rawgate-exec-inner is installed beside the launcher.
std::vector<std::string> InBubblewrap(const std::string& launcher_path,
                                      const std::vector<std::string>& argv,
                                      const std::string& folder, const std::string& own_folder);

// An InnerBlock in memory. Empty with errno set on failure, such as E2BIG.
Fd InnerMemory(const std::vector<std::string>& environment);
// What was told by it.
LauncherReport ReadInnerReport(int memory);

}  // namespace rawgate::exec
