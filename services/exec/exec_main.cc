// rawgate-exec: runs commands for plain sockets and for ExecService. See PROTOCOL.md.
#include <sys/prctl.h>

#include "absl/flags/flag.h"
#include "runtime/base/log.h"
#include "runtime/host/flags.h"
#include "runtime/host/service_host.h"
#include "services/exec/exec_flags.h"
#include "services/exec/exec_framed_session.h"
#include "services/exec/exec_policy_keeper.h"
#include "services/exec/exec_servicer.h"
#include "services/exec/exec_session.h"

using rawgate::exec::ExecSession;
using rawgate::exec::ReplyForm;

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "exec",
       .default_listen = "raw=tcp://127.0.0.1:8082,raw=tcp://[::1]:8082,"
                         "sized=tcp://127.0.0.1:8083,sized=tcp://[::1]:8083,"
                         "header=tcp://127.0.0.1:8084,header=tcp://[::1]:8084,"
                         "framed=tcp://127.0.0.1:8085,framed=tcp://[::1]:8085",
       .default_rpc_listen = "tcp://127.0.0.1:50062",
       .default_http_listen = "tcp://127.0.0.1:50072",
       .usage =
           "Runs commands for programs on this machine. Listeners: raw, sized, header, framed.\n\n"
           "  rawgate-exec --work_dir=/srv/scratch --sandbox=landlock\n"
           "  rawgate-exec --policy=/etc/rawgate/exec-policy.textproto\n"
           "  rawgate-exec --listen=sized=unix:///run/rawgate/exec.sock --command_timeout=10s\n"});
  const absl::StatusOr<rawgate::exec::Settings> settings = rawgate::exec::SettingsFromFlags();
  if (!settings.ok()) return process.Fail(settings.status());
  rawgate::host::ServiceHost host(process);
  const rawgate::exec::PolicyDefaults& defaults = settings->policy_defaults;
  spdlog::info("commands run as {} in {}", defaults.identity.name, settings->core.work_folder);
  // Commands that run as this user are not to look into this process.
  if (!defaults.identity.change) prctl(PR_SET_DUMPABLE, 0);
  rawgate::exec::ProcessHost processes(host.loop(), settings->processes);
  rawgate::exec::PolicyKeeper keeper(host.loop(), processes, settings->policy_path, defaults);
  absl::StatusOr<rawgate::exec::Policy> policy = keeper.Load();
  if (!policy.ok()) return process.Fail(policy.status());
  rawgate::exec::ExecCore core(processes, settings->core, *std::move(policy),
                               host.service().events());
  keeper.ReloadOnHangup(core);
  host.service().Add(core);
  rawgate::exec::PeerPolicy peers(settings->local_users);
  ExecSession raw(ReplyForm::kRaw, core, peers);
  ExecSession sized(ReplyForm::kSized, core, peers);
  ExecSession header(ReplyForm::kHeader, core, peers);
  rawgate::exec::ExecFramedSession framed(core, peers);
  rawgate::exec::ExecServicer servicer(core, host.admission(), absl::GetFlag(FLAGS_stall_timeout));
  host.AddStreamListeners("raw", raw);
  host.AddStreamListeners("sized", sized);
  host.AddStreamListeners("header", header);
  host.AddStreamListeners("framed", framed);
  host.AddRpcService(servicer);
  host.RequireLoopbackUnlessAllowed();
  return host.Run();
}
