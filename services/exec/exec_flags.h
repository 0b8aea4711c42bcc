// The flags of rawgate-exec, in the terms of what they set.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/exec/exec_core.h"
#include "services/exec/exec_peer.h"
#include "services/exec/exec_policy_file.h"
#include "services/exec/exec_process_host.h"

namespace rawgate::exec {

struct Settings {
  ExecOptions core;
  ProcessHostOptions processes;
  LocalUsers local_users = LocalUsers::kSame;
  // Empty: none.
  std::string policy_path = {};
  PolicyDefaults policy_defaults = {};
};

// From the flags, checked. Errors: INVALID_ARGUMENT (BAD_OPTION, BAD_RUN_AS), FAILED_PRECONDITION
// (NO_LAUNCHER).
absl::StatusOr<Settings> SettingsFromFlags();

}  // namespace rawgate::exec
