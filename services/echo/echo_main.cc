// rawgate-echo: upper-casing TCP echo and UDP greeting. See PROTOCOL.md.
#include "absl/flags/flag.h"
#include "runtime/host/service_host.h"
#include "services/echo/echo_core.h"
#include "services/echo/echo_servicer.h"
#include "services/echo/echo_session.h"

using rawgate::echo::DatagramReply;
using rawgate::echo::Transform;

ABSL_FLAG(Transform, transform, Transform::kUpper,
          "What TCP listeners do to bytes: upper, or identity (RFC 862).");
ABSL_FLAG(DatagramReply, udp_reply, DatagramReply::kGreeting,
          "What UDP listeners answer: greeting (\"hi\"), identity or upper.");

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "echo",
       .default_listen = "tcp=tcp://127.0.0.1:8080,tcp=tcp://[::1]:8080,"
                         "udp=udp://127.0.0.1:8080,udp=udp://[::1]:8080",
       .default_rpc_listen = "tcp://127.0.0.1:50061",
       .usage = "Upper-casing TCP echo and UDP greeting.\n\n"
                "  rawgate-echo\n"
                "  rawgate-echo --listen=tcp=tcp://127.0.0.1:7,udp=udp://127.0.0.1:7 "
                "--transform=identity --udp_reply=identity\n"});
  rawgate::host::ServiceHost host(process);
  const Transform transform = absl::GetFlag(FLAGS_transform);
  rawgate::echo::EchoStreamSession stream(transform);
  rawgate::echo::EchoDatagramSession datagram(absl::GetFlag(FLAGS_udp_reply));
  rawgate::echo::EchoServicer servicer(transform, host.admission());
  host.AddStreamListeners("tcp", stream);
  host.AddDatagramListeners("udp", datagram);
  host.AddRpcService(servicer);
  return host.Run();
}
