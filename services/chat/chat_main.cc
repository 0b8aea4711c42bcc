// rawgate-chat: a desk that UDP clients write to. See PROTOCOL.md.
#include "runtime/base/clock.h"
#include "runtime/host/service_host.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_flags.h"
#include "services/chat/chat_servicer.h"
#include "services/chat/chat_session.h"
#include "services/chat/chat_upkeep.h"

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "chat",
       .default_listen = "udp=udp://127.0.0.1:8081,udp=udp://[::1]:8081",
       .default_rpc_listen = "tcp://127.0.0.1:50065",
       .usage = "A desk: UDP clients write to it, operators answer them through `rawgate chat`.\n\n"
                "  rawgate-chat\n"
                "  rawgate-chat --auto_reply='We open at nine.' --auto_reply_interval=1h\n"});
  const auto settings = rawgate::chat::SettingsFromFlags();
  if (!settings.ok()) return process.Fail(settings.status());
  rawgate::host::ServiceHost host(process);
  rawgate::SystemClock clock;
  rawgate::chat::ChatCore core(clock, settings->automatic, settings->limits);
  rawgate::chat::ChatDatagramSession datagram(core);
  rawgate::chat::ChatServicer servicer(core, datagram, host.admission());
  const rawgate::chat::ChatUpkeep upkeep(core, host.loop());
  host.AddDatagramListeners("udp", datagram, rawgate::chat::ChatDatagramSession::Options());
  host.AddRpcService(servicer);
  host.service().Add(servicer);
  return host.Run();
}
