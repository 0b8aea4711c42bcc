// The end of everything below this process.
#pragma once

namespace rawgate::exec {

// Kills all descendants of this process that there are. One whose parent ends meanwhile may be
// missed, and what was killed is to be reaped: to be called again and again until no child is left.
void KillDescendants();

}  // namespace rawgate::exec
