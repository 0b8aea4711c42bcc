// rawgate-time: strftime over UDP. See PROTOCOL.md.
#include "runtime/base/clock.h"
#include "runtime/host/service_host.h"
#include "services/time/time_core.h"
#include "services/time/time_servicer.h"
#include "services/time/time_session.h"

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "time",
       .default_listen = "udp=udp://127.0.0.1:9000,udp=udp://[::1]:9000",
       .default_rpc_listen = "tcp://127.0.0.1:50063",
       .usage =
           "Time server: a datagram is a strftime format, the answer the time in that format.\n\n"
           "  rawgate-time\n"
           "  rawgate-time --listen=udp=udp://0.0.0.0:9000\n"
           "  TZ=Asia/Shanghai rawgate-time\n"});
  rawgate::host::ServiceHost host(process);
  rawgate::SystemClock clock;
  rawgate::timesvc::TimeCore core(clock);
  rawgate::timesvc::TimeDatagramSession datagram(core);
  rawgate::timesvc::TimeServicer servicer(core, host.admission());
  host.AddDatagramListeners("udp", datagram, rawgate::timesvc::TimeDatagramSession::Options());
  host.AddRpcService(servicer);
  return host.Run();
}
