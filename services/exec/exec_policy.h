// Which commands may run, for whom, and how: protos/rawgate/exec/v1/policy.proto says what a policy
// means. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "runtime/net/network.h"
#include "runtime/rpc/role.h"
#include "services/exec/exec_caller.h"
#include "services/exec/exec_command.h"
#include "services/exec/exec_identity.h"
#include "services/exec/exec_launch.h"
#include "services/exec/exec_sandbox.h"

namespace re2 {
class RE2;
}

namespace rawgate::exec {

// A program and what its arguments may be.
struct ProgramPattern {
  // No pattern is asked about a longer argument: some take a millisecond for each kilobyte.
  static constexpr size_t kArgumentMax = 4096;

  // Absolute.
  std::string path;
  // One for each argument; then one for all that follow, of which without it there may be none.
  std::vector<std::shared_ptr<const re2::RE2>> arguments = {};
  std::shared_ptr<const re2::RE2> further_arguments = {};
};

// The addresses that a rule is about.
struct Sources {
  bool any = false;
  // Loopback addresses and Unix sockets.
  bool local = false;
  std::vector<net::Network> networks = {};

  bool Have(const Caller& caller) const;
};

struct PolicyRule {
  // Whether it is about `caller`, whatever that wants.
  bool IsFor(const Caller& caller) const;

  enum class Commands { kNone, kPrograms, kAny };

  std::string name = {};
  Sources sources = {};
  std::optional<rpc::Role> least_role = {};
  // kNone refuses all.
  Commands commands = Commands::kAny;
  // For kPrograms.
  std::vector<ProgramPattern> programs = {};
  std::vector<std::string> environment_names = {};
  std::vector<std::string> folders = {};
  // How what fits is run.
  Identity identity = {};
  ResourceLimits limits = {};
  // Both are most that a request may have.
  absl::Duration timeout_max = absl::InfiniteDuration();
  uint64_t output_max = UINT64_MAX;
  Sandbox sandbox = Sandbox::kNone;
};

// What a request may do.
struct Permit {
  std::shared_ptr<const PolicyRule> rule;
  // What execve(2) is given.
  std::vector<std::string> argv;
};

// Whether both run as the same user and in the same sandbox, by the same rule.
bool SameRun(const Permit& one, const Permit& other);

// Does not change: a new one replaces it as a whole.
class Policy {
 public:
  explicit Policy(std::vector<PolicyRule> rules);
  // Without a file: whoever is on this machine may run anything, and nobody else.
  static Policy LocalOnly(Identity identity, Sandbox sandbox);

  // `spec` has passed CheckCommand(). Errors: PERMISSION_DENIED (POLICY_REFUSED), INVALID_ARGUMENT
  // (BAD_TIMEOUT: longer than the rule has it).
  absl::StatusOr<Permit> Check(const CommandSpec& spec, const Caller& caller) const;

  const std::vector<std::shared_ptr<const PolicyRule>>& rules() const { return rules_; }
  // Whether it is not LocalOnly().
  bool given() const { return given_; }

 private:
  bool given_ = true;
  std::vector<std::shared_ptr<const PolicyRule>> rules_;
};

// What the rules that let commands run have in common.
struct Confinement {
  // The weakest; nothing when nothing may run.
  std::optional<Sandbox> sandbox;
  // Empty where there are several users, or none, or one without a name.
  std::string user;
  // One of the users is root.
  bool root = false;
};
Confinement ConfinementBy(const Policy& policy);

// The words of a shell command that a shell would take for what they are: letters, digits and
// @%_+=:,./- between blanks, and no assignment in front. Empty when there is anything else in it.
std::vector<std::string> PlainWords(absl::string_view shell_command);

}  // namespace rawgate::exec
