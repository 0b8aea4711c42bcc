// A process becomes another program.
#pragma once

namespace rawgate::exec {

// As execvpe(3), but that a file without a format is not handed to a shell, and that only absolute
// folders of PATH count. Returns -errno.
long Execute(char** argv, char** environment);

}  // namespace rawgate::exec
