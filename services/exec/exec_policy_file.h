// A policy as people write it: protos/rawgate/exec/v1/policy.proto in protobuf's text format.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/exec/exec_policy.h"

namespace rawgate::exec {

// What a rule that says nothing itself means.
struct PolicyDefaults {
  Identity identity = {};
  Sandbox sandbox = Sandbox::kNone;
};

inline constexpr size_t kPolicyBytesMax = 1 << 20;
inline constexpr size_t kPolicyRulesMax = 1000;

// `name` is for messages. Error: INVALID_ARGUMENT (BAD_POLICY); the message has a line
// "NAME:LINE:COLUMN: what is wrong" for each of the first faults. Users of `run_as` are looked up.
absl::StatusOr<Policy> ParsePolicy(absl::string_view text, absl::string_view name,
                                   const PolicyDefaults& defaults);

// The same from a file. Errors besides: of open(2) and read(2); BAD_POLICY for more than
// kPolicyBytesMax. May wait for a disk.
absl::StatusOr<Policy> ReadPolicy(const std::string& path, const PolicyDefaults& defaults);

}  // namespace rawgate::exec
