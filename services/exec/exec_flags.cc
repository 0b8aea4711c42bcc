#include "services/exec/exec_flags.h"

#include <cstdint>
#include <string>

#include "absl/flags/flag.h"
#include "absl/time/time.h"
#include "services/exec/exec_launcher_pool.h"

using rawgate::exec::LocalUsers;
using rawgate::exec::Sandbox;

ABSL_FLAG(std::string, run_as, "nobody",
          "User that commands run as, when the service was started as root.");
ABSL_FLAG(std::string, policy, "",
          "File that says which commands may run, for whom, and how: text as in "
          "protos/rawgate/exec/v1/policy.proto, read again on SIGHUP. Without it, who is on this "
          "machine may run anything, and nobody else.");
ABSL_FLAG(
    Sandbox, sandbox, Sandbox::kNone,
    "What keeps commands from harm where the policy says nothing: none, landlock (they change "
    "files only below a folder of their own) or bubblewrap (and see no other process, no "
    "network).");
ABSL_FLAG(LocalUsers, allow_local_users, LocalUsers::kSame,
          "Whose programs on this machine are served: same (the service's user, and root) or any.");
ABSL_FLAG(absl::Duration, command_timeout, absl::Seconds(60),
          "How long a command may run that asks for no other limit.");
ABSL_FLAG(absl::Duration, command_timeout_max, absl::Hours(1),
          "The longest limit that a command may ask for.");
ABSL_FLAG(uint64_t, output_max_bytes, 64 << 20,
          "Output of one command, both streams together; more ends it.");
ABSL_FLAG(uint64_t, unread_memory_max_bytes, 128 << 20,
          "Replies in memory that clients have not read yet, all together; beyond that whoever has "
          "read nothing for the longest is disconnected.");
ABSL_FLAG(uint64_t, unread_file_max_bytes, uint64_t{4} << 30,
          "The same for large outputs, which are kept in files.");
ABSL_FLAG(uint64_t, keep_last_max_bytes, 16 << 20,
          "Of each output stream of a command that may write without end: so much is kept.");
ABSL_FLAG(uint64_t, history_max, 1000, "Commands that have ended and can still be asked for.");
ABSL_FLAG(uint64_t, history_memory_max_bytes, 32 << 20,
          "Output of these in memory, all together; what nobody has read for the longest is let go "
          "first.");
ABSL_FLAG(uint64_t, history_file_max_bytes, uint64_t{1} << 30,
          "The same for large outputs, which are kept in files.");
ABSL_FLAG(bool, command_cgroups, true,
          "Commands that run as another user have a cgroup, so that all of one is killed at once, "
          "where the system allows that. Without, the end is the same, but takes longer the more "
          "processes there are.");
ABSL_FLAG(uint64_t, commands_max, 64, "Commands that run at once; some more wait for their turn.");
ABSL_FLAG(std::string, work_dir, "/tmp",
          "Where commands run that name no folder, and where large outputs are kept.");

namespace rawgate::exec {

absl::StatusOr<Settings> SettingsFromFlags() {
  Settings settings;
  settings.core = {.work_folder = absl::GetFlag(FLAGS_work_dir),
                   .timeout_default = absl::GetFlag(FLAGS_command_timeout),
                   .timeout_max = absl::GetFlag(FLAGS_command_timeout_max),
                   .output_max = absl::GetFlag(FLAGS_output_max_bytes),
                   .commands_max = absl::GetFlag(FLAGS_commands_max),
                   .unread_memory_max = absl::GetFlag(FLAGS_unread_memory_max_bytes),
                   .unread_file_max = absl::GetFlag(FLAGS_unread_file_max_bytes),
                   .keep_last = absl::GetFlag(FLAGS_keep_last_max_bytes),
                   .history = {.jobs_max = absl::GetFlag(FLAGS_history_max),
                               .memory_max = absl::GetFlag(FLAGS_history_memory_max_bytes),
                               .file_max = absl::GetFlag(FLAGS_history_file_max_bytes)}};
  if (absl::Status checked = CheckOptions(settings.core); !checked.ok()) return checked;
  absl::StatusOr<Identity> identity = ResolveIdentity(absl::GetFlag(FLAGS_run_as));
  if (!identity.ok()) return identity.status();
  absl::StatusOr<std::string> launcher = FindLauncher();
  if (!launcher.ok()) return launcher.status();
  settings.processes = {.launcher_path = *std::move(launcher),
                        .spool_folder = settings.core.work_folder,
                        .cgroups = absl::GetFlag(FLAGS_command_cgroups)};
  settings.policy_path = absl::GetFlag(FLAGS_policy);
  settings.policy_defaults = {.identity = *std::move(identity),
                              .sandbox = absl::GetFlag(FLAGS_sandbox)};
  settings.local_users = absl::GetFlag(FLAGS_allow_local_users);
  return settings;
}

}  // namespace rawgate::exec
