// Whether this system gives the sandboxes that a policy asks for, found by running something in
// each.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "services/exec/exec_policy.h"
#include "services/exec/exec_process_host.h"

namespace rawgate::exec {

// `done` is called once, later, on the loop thread, with the first that fails: FAILED_PRECONDITION
// (NO_SANDBOX). `host` outlives that. Loop thread.
void TrySandboxes(ProcessHost& host, const Policy& policy,
                  std::function<void(const absl::Status&)> done);

}  // namespace rawgate::exec
