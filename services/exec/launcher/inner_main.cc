// rawgate-exec-inner: runs one command inside a sandbox that another program has made, and tells
// the service in an InnerBlock what became of it. That program's own exit code would not tell a
// command that a signal ended from one that exited with the same number, nor from one that never
// ran.
//
//   rawgate-exec-inner FOLDER PROGRAM [ARGUMENT...]

#include "services/exec/launcher/inner.h"

int main(int, char** argv) { return rawgate::exec::RunInside(argv + 1) ? 0 : 1; }
