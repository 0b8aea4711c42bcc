// Messages out of a stream of bytes, however these come: what the lessons on framing cure
// coalescing with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/lab/client_socket.h"
#include "cli/lab/recorder.h"

namespace rawgate::cli::lab {

// "i32" of our raw protocols: signed, 32 bits, little-endian.
std::string PackSize(size_t size);
std::string Framed(absl::string_view payload);

// Reads of at most `read_size` bytes at a time, and takes them apart. What it takes is recorded as
// a step named after it. Borrows all.
class FramedMessages {
 public:
  FramedMessages(ClientSocket& socket, Recorder& recorder, size_t read_size)
      : socket_(socket), recorder_(recorder), read_size_(read_size) {}

  // Exactly `size` bytes. Errors: those of Receive(), UNAVAILABLE (ENDED_EARLY).
  absl::StatusOr<std::string> Take(size_t size, absl::string_view what);
  // What is behind an i32 that tells its size. Error besides: INVALID_ARGUMENT (BAD_FRAME) for one
  // over 1 MiB.
  absl::StatusOr<std::string> TakeSized(absl::string_view what);
  // Up to the next newline, which is not part of it.
  absl::StatusOr<std::string> TakeLine();

 private:
  absl::Status More();

  ClientSocket& socket_;
  Recorder& recorder_;
  const size_t read_size_;
  std::string bytes_;
};

}  // namespace rawgate::cli::lab
