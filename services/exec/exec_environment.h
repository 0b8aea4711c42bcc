// The environment of commands: clean, with what the request adds. Pure but for BaseEnvironment().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/exec/exec_launch.h"

namespace rawgate::exec {

// Set in every command's environment to its job id.
inline constexpr char kJobVariable[] = "RAWGATE_JOB_ID";

using EnvironmentVariables = std::vector<std::pair<std::string, std::string>>;

// Of one request, names and values together.
inline constexpr size_t kEnvironmentVariablesMax = 1024;
inline constexpr size_t kEnvironmentBytesMax = 128 * 1024;

// LANG and TZ as this process has them. PATH, HOME, USER and LOGNAME too, as far as it has them;
// but when commands run as somebody else those of `identity`, and a usual PATH: ours may hold
// folders that are closed to that user.
EnvironmentVariables BaseEnvironment(const Identity& identity);

// Error: INVALID_ARGUMENT (BAD_ENVIRONMENT), with the field.
absl::Status CheckEnvironment(const EnvironmentVariables& variables);

// "NAME=value" for exec: the job's id, `base`, then `added`, in which a later value replaces an
// earlier one.
std::vector<std::string> MakeEnvironment(const EnvironmentVariables& base,
                                         const EnvironmentVariables& added,
                                         absl::string_view job_id);

}  // namespace rawgate::exec
