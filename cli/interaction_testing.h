// rawgate run and shell with descriptors of the test's own.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "cli/command_testing.h"
#include "cli/exec_testing.h"
#include "cli/interaction.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

struct Pipe {
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read.Reset(ends[0]);
    write.Reset(ends[1]);
  }
  Fd read;
  Fd write;
};

class Interaction : public testing::Test {
 protected:
  // With these descriptors as standard input and output; standard error is kept.
  int Run(std::vector<std::string> words, int in, int out) {
    Console console(in, out, error_.fd());
    words.insert(words.begin(), {"--gateway", gateway_.target()});
    return RunCommandLine(words, console, interrupt_);
  }

  FakeExec exec_;
  FakeGateway gateway_{&exec_};
  Interrupt interrupt_;
  MemoryFile error_;
};

}  // namespace rawgate::cli
