// rawgate-chat: a desk that datagram clients write to. See PROTOCOL.md.
#include <signal.h>

#include <cstdlib>

#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/host/service_host.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_flags.h"
#include "services/chat/chat_history.h"
#include "services/chat/chat_servicer.h"
#include "services/chat/chat_session.h"
#include "services/chat/chat_upkeep.h"

namespace chat = rawgate::chat;

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "chat",
       .default_listen = "udp=udp://127.0.0.1:8081,udp=udp://[::1]:8081",
       .default_rpc_listen = "tcp://127.0.0.1:50065",
       .default_http_listen = "tcp://127.0.0.1:50075",
       .usage = "A desk: UDP clients write to it, operators answer them through `rawgate chat`.\n\n"
                "  rawgate-chat --history=/var/lib/rawgate/chat\n"
                "  rawgate-chat --auto_reply='We open at nine.' --auto_reply_interval=1h\n"});
  // A history beyond RLIMIT_FSIZE is a disk that is full, not the end of the process.
  ::signal(SIGXFSZ, SIG_IGN);
  const auto settings = chat::SettingsFromFlags();
  if (!settings.ok()) return process.Fail(settings.status());
  rawgate::host::ServiceHost host(process);
  std::unique_ptr<chat::ChatHistory> history;
  if (settings->history_folder.empty()) {
    spdlog::info("no history: a restart forgets sessions and messages");
  } else {
    auto opened = chat::ChatHistory::Open(host.loop(), settings->history_folder, settings->limits);
    if (!opened.ok()) return process.Fail(opened.status());
    history = *std::move(opened);
  }

  rawgate::SystemClock clock;
  chat::ChatCore core(clock, settings->automatic, settings->limits, history.get());
  if (history) core.Restore(history->TakeStored());
  chat::ChatDatagramSession datagram(core);
  chat::ChatServicer servicer(core, datagram, host.admission(), history.get());
  const chat::ChatUpkeep upkeep(core, host.loop());
  datagram.set_listeners(
      host.AddDatagramListeners("udp", datagram, chat::ChatDatagramSession::Options()));
  host.AddRpcService(servicer);
  host.service().Add(servicer);
  const int status = host.Run();
  // A disk that does not answer even now must not keep the process.
  if (history && !history->Stop(process.grace())) std::_Exit(1);
  return status;
}
