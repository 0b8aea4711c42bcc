// rawgate-echo: upper-casing TCP echo and UDP greeting, discard and chargen. See PROTOCOL.md.
#include "absl/flags/flag.h"
#include "runtime/host/service_host.h"
#include "services/echo/echo_chargen_session.h"
#include "services/echo/echo_core.h"
#include "services/echo/echo_discard_session.h"
#include "services/echo/echo_servicer.h"
#include "services/echo/echo_session.h"

namespace echo = rawgate::echo;
using rawgate::host::ListenerOptions;

ABSL_FLAG(
    echo::Transform, transform, echo::Transform::kUpper,
    "What tcp listeners without an option transform= do to bytes, and typed calls that do not "
    "say: upper, or identity (RFC 862).");
ABSL_FLAG(echo::DatagramReply, udp_reply, echo::DatagramReply::kGreeting,
          "What udp listeners without an option reply= answer: greeting (\"hi\"), identity or "
          "upper.");

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "echo",
       .default_listen = "tcp=tcp://127.0.0.1:8080,tcp=tcp://[::1]:8080,"
                         "udp=udp://127.0.0.1:8080,udp=udp://[::1]:8080",
       .default_rpc_listen = "tcp://127.0.0.1:50061",
       .default_http_listen = "tcp://127.0.0.1:50071",
       .usage =
           "Upper-casing TCP echo and UDP greeting; discard and chargen where asked for.\n\n"
           "  rawgate-echo\n  rawgate-echo --listen=tcp=tcp://127.0.0.1:8080,"
           "tcp=tcp://127.0.0.1:7?transform=identity,udp=udp://127.0.0.1:7?reply=identity\n"
           "  rawgate-echo --listen=discard=tcp://127.0.0.1:9,discard=udp://127.0.0.1:9,"
           "chargen=tcp://127.0.0.1:19?rate=65536\n\n"
           "Listeners, each a stream (tcp, Unix) or for datagrams, and their options:\n"
           "  tcp      transform=upper|identity\n"
           "  udp      reply=greeting|identity|upper\n"
           "  discard  RFC 863, streams and datagrams\n"
           "  chargen  RFC 864, streams alone; rate=BYTES_PER_SECOND of a connection, 1048576\n"});
  rawgate::host::ServiceHost host(process);
  const echo::Transform transform = absl::GetFlag(FLAGS_transform);
  echo::DiscardStreamSession discard_stream;
  echo::DiscardDatagramSession discard_datagram;
  echo::EchoServicer servicer(transform, host.admission());
  host.AddStreamListeners("tcp", [&](ListenerOptions& options) {
    return std::make_unique<echo::EchoStreamSession>(options.Get("transform", transform));
  });
  host.AddDatagramListeners("udp", [](ListenerOptions& options) {
    return std::make_unique<echo::EchoDatagramSession>(
        options.Get("reply", absl::GetFlag(FLAGS_udp_reply)));
  });
  host.AddStreamListeners("discard", discard_stream);
  host.AddDatagramListeners("discard", discard_datagram);
  host.AddStreamListeners("chargen", [](ListenerOptions& options) {
    return std::make_unique<echo::ChargenSession>(options.Get("rate", echo::ByteRate()));
  });
  host.AddDatagramListeners("chargen", [](auto&) { return echo::ChargenOverDatagrams(); });
  host.AddRpcService(servicer);
  return host.Run();
}
