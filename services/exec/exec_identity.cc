#include "services/exec/exec_identity.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"
#include "services/exec/exec_launcher.h"

namespace rawgate::exec {
namespace {

// One entry of the user database.
std::optional<Identity> FindUser(const std::string& name_or_empty, uid_t uid) {
  std::array<char, 16384> buffer;
  passwd entry{};
  passwd* found = nullptr;
  if (name_or_empty.empty()) {
    getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  } else {
    getpwnam_r(name_or_empty.c_str(), &entry, buffer.data(), buffer.size(), &found);
  }
  if (found == nullptr) return std::nullopt;
  Identity identity{.change = true,
                    .user = entry.pw_uid,
                    .group = entry.pw_gid,
                    .groups = std::vector<gid_t>(kLaunchSupplementaryMax),
                    .name = entry.pw_name,
                    .home = entry.pw_dir};
  int count = kLaunchSupplementaryMax;
  if (getgrouplist(entry.pw_name, entry.pw_gid, identity.groups.data(), &count) < 0)
    count = kLaunchSupplementaryMax;
  identity.groups.resize(static_cast<size_t>(count));
  return identity;
}

absl::Status BadRunAs(absl::string_view message) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_RUN_AS", message);
}

}  // namespace

absl::StatusOr<Identity> ResolveIdentity(absl::string_view run_as) {
  const uid_t self = geteuid();
  if (self != 0) {
    Identity identity = FindUser("", self).value_or(Identity{});
    identity.change = false;
    if (run_as != "nobody" && run_as != identity.name) {
      return BadRunAs(
          absl::StrCat("--run_as=", run_as, " needs a service started as root; this one runs as ",
                       identity.name.empty() ? absl::StrCat("uid ", self) : identity.name));
    }
    return identity;
  }
  if (run_as.empty()) return BadRunAs("--run_as is empty; name the user that commands run as");
  std::optional<Identity> identity = FindUser(std::string(run_as), 0);
  if (!identity) return BadRunAs(absl::StrCat("--run_as=", run_as, ": no such user"));
  if (identity->user == 0 && run_as != "root") {
    return BadRunAs(absl::StrCat("--run_as=", run_as,
                                 " is another name of root; say --run_as=root if that is meant"));
  }
  return *identity;
}

}  // namespace rawgate::exec
