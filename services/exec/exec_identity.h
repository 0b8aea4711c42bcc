// As whom commands run.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::exec {

struct Identity {
  // False: as whoever the service is; the numbers are then not used.
  bool change = false;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  // For the command's environment.
  std::string name;
  std::string home;
};

// What --run_as means for this process. Only a process of root changes its user: for any other,
// commands run as itself, and a `run_as` that is neither "nobody" (the default) nor its own name is
// an error. "root" is the only name that yields uid 0. Errors: INVALID_ARGUMENT (BAD_RUN_AS).
absl::StatusOr<Identity> ResolveIdentity(absl::string_view run_as);

}  // namespace rawgate::exec
