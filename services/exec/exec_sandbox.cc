#include "services/exec/exec_sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace rawgate::exec {
namespace {

constexpr std::array<absl::string_view, 3> kNames = {"none", "landlock", "bubblewrap"};

// LANDLOCK_ACCESS_FS_TRUNCATE, which older headers do not have, and the version that knows it.
constexpr uint64_t kTruncate = uint64_t{1} << 14;
constexpr long kVersionMin = 3;
// From this version on neither its signals nor its abstract Unix sockets reach out of it.
constexpr long kVersionWithScopes = 6;
constexpr uint64_t kScopes = 3;

// landlock_ruleset_attr of today; older kernels take its beginning.
struct RulesetAttributes {
  uint64_t handled_access_fs;
  uint64_t handled_access_net;
  uint64_t scoped;
};

constexpr uint64_t kChange =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | kTruncate;

// The C library has no names for these calls.
long CreateRuleset(const RulesetAttributes* attributes, size_t size, uint32_t flags) {
  return syscall(SYS_landlock_create_ruleset, attributes, size, flags);
}

bool Allow(const Fd& ruleset, const char* path, uint64_t access) {
  const Fd file(open(path, O_PATH | O_CLOEXEC));
  if (!file) return false;
  const landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = file.get()};
  return syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

}  // namespace

absl::string_view SandboxName(Sandbox sandbox) { return kNames[static_cast<size_t>(sandbox)]; }

bool AbslParseFlag(absl::string_view text, Sandbox* sandbox, std::string* error) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != text) continue;
    *sandbox = static_cast<Sandbox>(i);
    return true;
  }
  *error = "is none, landlock or bubblewrap";
  return false;
}

std::string AbslUnparseFlag(Sandbox sandbox) { return std::string(SandboxName(sandbox)); }

Fd LandlockFor(const std::string& folder) {
  const long version = CreateRuleset(nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < kVersionMin) {
    errno = EOPNOTSUPP;
    return Fd();
  }
  const bool scopes = version >= kVersionWithScopes;
  const RulesetAttributes attributes = {
      .handled_access_fs = kChange, .handled_access_net = 0, .scoped = scopes ? kScopes : 0};
  const size_t size = scopes ? sizeof(attributes) : offsetof(RulesetAttributes, handled_access_net);
  Fd ruleset(static_cast<int>(CreateRuleset(&attributes, size, 0)));
  if (!ruleset || !Allow(ruleset, folder.c_str(), kChange)) return Fd();
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty"}) {
    if (!Allow(ruleset, device, LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate) && errno != ENOENT)
      return Fd();
  }
  return ruleset;
}

}  // namespace rawgate::exec
