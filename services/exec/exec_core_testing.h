// Commands in few words.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "services/exec/exec_core.h"
#include "services/exec/exec_testing.h"

namespace rawgate::exec {

inline CommandSpec Shell(std::string text) {
  CommandSpec spec;
  spec.shell_command = std::move(text);
  return spec;
}

inline CommandSpec Program(std::vector<std::string> argv) {
  CommandSpec spec;
  spec.argv = std::move(argv);
  return spec;
}

}  // namespace rawgate::exec
