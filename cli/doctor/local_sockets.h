// Who on this machine has which port, by /proc (proc(5)). Of processes of other users only root is
// told.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cli/raw_address.h"

namespace rawgate::cli {

struct LocalProgram {
  pid_t pid = 0;
  // As in /proc/PID/comm: at most 15 bytes.
  std::string name;
  // At which it listens, or has bound datagrams, in order and each once.
  std::vector<uint16_t> tcp_ports;
  std::vector<uint16_t> udp_ports;
};

// Programs whose name begins with `prefix`, by pid.
std::vector<LocalProgram> ProgramsNamed(const std::string& prefix);

// Who has `address`, or its port at an address that keeps others from it, such as 0.0.0.0. Empty
// where nobody has, or it is not told.
std::vector<LocalProgram> HoldersOf(const RawAddress& address);

// "nginx (process 123)", several with commas; empty for none.
std::string NamesOf(const std::vector<LocalProgram>& programs);

}  // namespace rawgate::cli
