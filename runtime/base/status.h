// Errors inside rawgate are absl::Status, each with a *reason*: one UPPER_SNAKE_CASE word for one
// cause, which clients see as google.rpc.ErrorInfo.reason. This file makes such statuses;
// runtime/rpc/status.h carries them over gRPC.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace rawgate {

// A status with `reason`. `message` is for people: what was wrong and, where it can be known, what
// to do.
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message);

// The status for a failed system call: `what` names what was tried ("bind tcp://127.0.0.1:8080"),
// the code follows absl::ErrnoToStatusCode but for descriptors and memory (RESOURCE_EXHAUSTED) and
// for a read-only file system (FAILED_PRECONDITION), the reason is the errno's name ("EADDRINUSE").
// RESOURCE_EXHAUSTED comes with a time to try again.
absl::Status ErrnoError(int errno_value, absl::string_view what);

// The reason given to Error(), else the canonical code's name, "OK" when there is no error.
std::string ReasonOf(const absl::Status& status);

// Tells the caller when to try again; travels as google.rpc.RetryInfo.
absl::Status WithRetryAfter(absl::Status status, absl::Duration delay);
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

// Adds a fact for programs; travels as google.rpc.ErrorInfo.metadata. `name` is lower_snake_case.
absl::Status WithMetadata(absl::Status status, absl::string_view name, absl::string_view value);
// All of them, by name.
std::map<std::string, std::string> MetadataOf(const absl::Status& status);

// INVALID_ARGUMENT for one field of a request ("environment[3].name"); travels as
// google.rpc.BadRequest as well.
absl::Status FieldError(absl::string_view field, absl::string_view reason,
                        absl::string_view message);
// The field given to FieldError(); empty for any other status.
std::string FieldOf(const absl::Status& status);

// UNAVAILABLE (DRAINING, with a time to try again): the process is going, and its successor or a
// replica will answer.
absl::Status DrainingError();

}  // namespace rawgate
