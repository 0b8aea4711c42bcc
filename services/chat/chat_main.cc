// rawgate-chat: a desk that UDP clients write to. See PROTOCOL.md.
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/host/service_host.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_servicer.h"
#include "services/chat/chat_session.h"

ABSL_FLAG(std::string, auto_reply, "", "Automatic answer to clients; empty: none.");
ABSL_FLAG(absl::Duration, auto_reply_interval, absl::Minutes(10),
          "Time between two automatic answers to one client.");

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "chat",
       .default_listen = "udp=udp://127.0.0.1:8081,udp=udp://[::1]:8081",
       .default_rpc_listen = "tcp://127.0.0.1:50065",
       .usage = "A desk: UDP clients write to it, operators answer them through `rawgate chat`.\n\n"
                "  rawgate-chat\n"
                "  rawgate-chat --auto_reply='We open at nine.' --auto_reply_interval=1h\n"});
  const rawgate::chat::AutomaticAnswer automatic{absl::GetFlag(FLAGS_auto_reply),
                                                 absl::GetFlag(FLAGS_auto_reply_interval)};
  if (automatic.text.size() > rawgate::chat::kBodyMax) {
    return process.Fail(rawgate::Error(
        absl::StatusCode::kInvalidArgument, "AUTO_REPLY_TOO_LONG",
        absl::StrCat("--auto_reply is longer than ", rawgate::chat::kBodyMax, " bytes")));
  }
  rawgate::host::ServiceHost host(process);
  rawgate::SystemClock clock;
  rawgate::chat::ChatCore core(clock, automatic);
  rawgate::chat::ChatDatagramSession datagram(core);
  rawgate::chat::ChatServicer servicer(core, datagram, host.admission());
  host.AddDatagramListeners("udp", datagram, rawgate::chat::ChatDatagramSession::Options());
  host.AddRpcService(servicer);
  host.service().Add(servicer);
  return host.Run();
}
