// What keeps a command from what it has no business with, beside its user's rights: the levels of
// protos/rawgate/exec/v1/policy.proto.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {

enum class Sandbox { kNone, kLandlock, kBubblewrap };

// "none", "landlock", "bubblewrap".
absl::string_view SandboxName(Sandbox sandbox);
// For Abseil flags.
bool AbslParseFlag(absl::string_view text, Sandbox* sandbox, std::string* error);
std::string AbslUnparseFlag(Sandbox sandbox);

// A Landlock ruleset (landlock(7)) for a process to restrict itself with: files change only at and
// below `folder`; the usual devices can be written to. Empty with errno set on failure: EOPNOTSUPP
// where the kernel knows no Landlock, or one that lets files be truncated anywhere (before Linux
// 6.2).
Fd LandlockFor(const std::string& folder);

}  // namespace rawgate::exec
