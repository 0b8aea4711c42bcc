// The JSON of a framed request (PROTOCOL.md). Pure: no I/O, no state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/exec/exec_core.h"

namespace rawgate::exec {

// Of the JSON: a command of 64 KiB fits, however it is escaped, with some environment.
inline constexpr int32_t kFramedHeaderMax = 512 * 1024;

struct FramedRequest {
  // What is wrong with it. The stream goes on behind its input all the same.
  absl::Status status;
  // Without its input.
  CommandSpec spec;
  // Bytes of standard input that follow, at most kInputBytesMax.
  size_t input_size = 0;
};

// Keys that are not known are ignored. Errors, after which nobody can tell where the next request
// begins: INVALID_ARGUMENT (BAD_JSON; BAD_FIELD and INPUT_TOO_LONG for "stdin_size"). In the
// request's own status: INVALID_ARGUMENT (BAD_FIELD, NO_COMMAND); what else may be wrong is for the
// core to find.
absl::StatusOr<FramedRequest> DecodeFramedRequest(absl::string_view json);

}  // namespace rawgate::exec
