// A command inside a sandbox that another program has made.
#pragma once

namespace rawgate::exec {

// `arguments`, which a null ends, are the folder to run in and the command. Runs it, and tells the
// InnerBlock at kInnerMemory what became of it. False when there is no such block. All signals are
// blocked here and are the command's alone.
bool RunInside(char** arguments);

}  // namespace rawgate::exec
