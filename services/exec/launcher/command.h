// A new process becomes a command.
#pragma once

#include "services/exec/exec_launcher.h"

namespace rawgate::exec {

// What the launcher hands to the process that it has made, which shares its memory until it runs
// the command's program.
struct CommandStart {
  // Descriptors to become 0, 1 and 2, and what LaunchBlock::fourth says; all above kLauncherMemory.
  int descriptors[kLaunchDescriptorsMax];
  // As setpriority(2) has it.
  int nice;
  // The launcher's: pointers into `block`, filled in by this process.
  LaunchBlock* block;
  char** arguments;    // kLaunchArgumentsMax + 1
  char** environment;  // kLaunchEnvironmentMax + 1
  // errno_value stays 0 when the program runs.
  LaunchFailure failure;
};

// Begins in a process that shares the launcher's memory but nothing else (CLONE_VM, and all signals
// blocked). `start` is a CommandStart. On failure the process ends, with `failure` set.
[[noreturn]] void BecomeCommand(void* start);

}  // namespace rawgate::exec
