// Standard input, output and error of a command, as descriptors, so that bytes pass unchanged and a
// test can put pipes and files in their place.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli {

// Any thread; what is written by two at once may be mixed.
class Console {
 public:
  // Borrows the descriptors.
  Console(int in, int out, int error) : in_(in), out_(out), error_(error) {}

  int in() const { return in_; }
  int out() const { return out_; }
  bool InputIsTerminal() const;
  bool OutputIsTerminal() const;
  bool ErrorIsTerminal() const;

  // Whether output may be coloured: at a terminal, but for one without colours (TERM=dumb, or
  // none), where NO_COLOR is set (no-color.org), and after ForbidColors() (--no-color).
  bool OutputIsColored() const;
  // Before other threads use this.
  void ForbidColors() { colors_allowed_ = false; }

  // Columns of the terminal that output, or standard error, goes to; 0 when it goes elsewhere.
  int Columns() const;
  int ErrorColumns() const;

  // All of `bytes`, waiting as long as the reader takes. Errors: those of write(2).
  absl::Status Out(absl::string_view bytes) const;
  // To standard error. Nobody could be told of a failure here, so there is none.
  void Error(absl::string_view bytes) const;

  // The next bytes of standard input, at most `most`; empty at its end.
  absl::StatusOr<std::string> Read(size_t most) const;

  // All of standard input. `on_wait` is called, once, when neither more of it nor its end has come
  // for a while. Errors: RESOURCE_EXHAUSTED (INPUT_TOO_LARGE) when it is over `limit`.
  absl::StatusOr<std::string> ReadAll(size_t limit, const std::function<void()>& on_wait) const;

 private:
  int in_;
  int out_;
  int error_;
  bool colors_allowed_ = true;
};

// All of `bytes` to `fd`, which may be non-blocking. `name` is for the error's message.
absl::Status WriteAll(int fd, absl::string_view bytes, absl::string_view name);

// Makes descriptors 0 to 2 exist: a socket must not become what the command takes for standard
// output. What was closed reads as empty, and writing to it fails.
void FillStandardDescriptors();

}  // namespace rawgate::cli
