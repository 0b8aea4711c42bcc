// rawgate-time: tells the time by strftime format, daytime, time and NTP. See PROTOCOL.md.
#include "runtime/base/clock.h"
#include "runtime/base/log.h"
#include "runtime/host/service_host.h"
#include "services/time/classic_session.h"
#include "services/time/ntp_session.h"
#include "services/time/time_core.h"
#include "services/time/time_flags.h"
#include "services/time/time_servicer.h"
#include "services/time/time_session.h"

using rawgate::timesvc::ClassicDatagramSession;
using rawgate::timesvc::ClassicProtocol;
using rawgate::timesvc::ClassicStreamSession;
using rawgate::timesvc::NtpSession;
using rawgate::timesvc::TimeCore;
using rawgate::timesvc::TimeDatagramSession;

int main(int argc, char** argv) {
  rawgate::host::Process process(
      argc, argv,
      {.name = "time",
       .default_listen = "udp=udp://127.0.0.1:9000,udp=udp://[::1]:9000",
       .default_rpc_listen = "tcp://127.0.0.1:50063",
       .default_http_listen = "tcp://127.0.0.1:50073",
       .usage = "Time server. Listeners: udp (a datagram is a strftime format, the answer the time "
                "in it); and, where\n--listen has them: daytime (RFC 867) and time (RFC 868), over "
                "tcp, unix or udp, and ntp (RFC 5905).\n\n"
                "  rawgate-time\n"
                "  TZ=Asia/Shanghai rawgate-time --listen=udp=udp://0.0.0.0:9000\n"
                "  rawgate-time --listen=ntp=udp://127.0.0.1:123,daytime=tcp://127.0.0.1:13,"
                "time=tcp://127.0.0.1:37\n"
                "  rawgate-time --listen=ntp=udp://127.0.0.1:12300 --test_clock\n"});
  absl::StatusOr<rawgate::timesvc::Settings> settings = rawgate::timesvc::SettingsFromFlags();
  if (!settings.ok()) return process.Fail(settings.status());
  rawgate::host::ServiceHost host(process);
  rawgate::SystemClock clock;
  rawgate::timesvc::TestClock test_clock(clock);
  TimeCore core = settings->test_clock ? TimeCore(test_clock) : TimeCore(clock);
  if (settings->test_clock)
    spdlog::warn("--test_clock: admins may have this service tell any time");
  settings->ntp.precision = rawgate::timesvc::MeasurePrecision(clock);
  rawgate::timesvc::NtpResponder responder(core, settings->ntp);
  TimeDatagramSession formats(core);
  NtpSession ntp(responder);
  ClassicStreamSession daytime_stream(ClassicProtocol::kDaytime, core);
  ClassicDatagramSession daytime_datagram(ClassicProtocol::kDaytime, core);
  ClassicStreamSession time_stream(ClassicProtocol::kTime, core);
  ClassicDatagramSession time_datagram(ClassicProtocol::kTime, core);
  rawgate::timesvc::TimeServicer servicer(core, host.admission());
  host.AddDatagramListeners("udp", formats, TimeDatagramSession::Options());
  host.AddDatagramListeners("ntp", ntp, NtpSession::Options(settings->ntp_rate_per_source));
  host.AddStreamListeners("daytime", daytime_stream);
  host.AddDatagramListeners("daytime", daytime_datagram, ClassicDatagramSession::Options());
  host.AddStreamListeners("time", time_stream);
  host.AddDatagramListeners("time", time_datagram, ClassicDatagramSession::Options());
  host.AddRpcService(servicer);
  host.service().Add(servicer);
  return host.Run();
}
