// The hex examples of a PROTOCOL.md, so that tests can hold the code to what the document shows. An
// example is a fenced block
//
//   ```hex NAME
//   C: 68 65 6c 6c 6f  | what the client sends
//   S: 48 45 4c 4c 4f  | what the server answers
//   ```
//
// Lines of one side that follow each other are one message's continuation only when they begin with
// two spaces.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rawgate::testing {

struct ExampleMessage {
  // 'C' or 'S'.
  char side;
  std::string bytes;
};

struct Example {
  std::string name;
  std::vector<ExampleMessage> messages;
};

// All examples of `path`, relative to the root of the source tree. Ends the test program when the
// file cannot be read or a line cannot be parsed.
std::vector<Example> ReadExamples(absl::string_view path);

}  // namespace rawgate::testing
