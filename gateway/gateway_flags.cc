#include "gateway/gateway_flags.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/flags/flag.h"
#include "gateway/gateway_access.h"
#include "gateway/gateway_tls.h"
#include "runtime/host/flags.h"

ABSL_FLAG(
    std::string, backends,
    "echo=127.0.0.1:50061,exec=127.0.0.1:50062,time=127.0.0.1:50063,file=127.0.0.1:50064,"
    "chat=127.0.0.1:50065",
    "Services behind the gateway, as NAME=TARGET,...; a target is HOST:PORT, dns:///HOST:PORT, "
    "unix:///run/rawgate/echo.sock or unix-abstract:NAME. Several addresses behind a name, or in a "
    "list (ipv4:10.0.0.3:50061,10.0.0.4:50061), are replicas.");
ABSL_FLAG(absl::Duration, unary_ceiling, absl::Seconds(60),
          "Deadline of forwarded unary calls that come without one.");
ABSL_FLAG(int, lanes, 0,
          "Threads that serve clients and forward their calls. 0: one for every two processors, 8 "
          "at most.");
ABSL_FLAG(bool, log_calls, false, "Log each call that has ended at level info, not only at debug.");
ABSL_FLAG(uint64_t, connections_per_source_max, 1'000,
          "Connections of one source off loopback: an IPv4 address, an IPv6 /64.");
ABSL_FLAG(std::string, admin_listen, "",
          "Address of a second gRPC server, with channelz; loopback or unix:// only. Empty: none.");

namespace rawgate::gateway {
namespace {

constexpr int kLanesMax = 64;

int Lanes() {
  const int wanted = absl::GetFlag(FLAGS_lanes);
  if (wanted > 0) return std::min(wanted, kLanesMax);
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()) / 2, 1, 8);
}

}  // namespace

absl::StatusOr<GatewayServer::Options> OptionsFromFlags(const host::Process& process) {
  GatewayServer::Options options;
  for (const auto& listen : process.listen()) {
    if (absl::Status known = listen.options.Check(); !known.ok()) return known;
    options.addresses.push_back(listen.endpoint);
    options.names.push_back(listen.name);
  }
  if (absl::Status access = AddAccessFromFlags(options); !access.ok()) return access;
  auto backends = ParseBackends(absl::GetFlag(FLAGS_backends));
  if (!backends.ok()) return backends.status();
  options.backends = *std::move(backends);
  options.forwarder.unary_ceiling = absl::GetFlag(FLAGS_unary_ceiling);
  options.forwarder.lanes = Lanes();
  options.forwarder.buffers_max = absl::GetFlag(FLAGS_rpc_buffers_max_bytes);
  options.clients = {.connections_max = absl::GetFlag(FLAGS_connections_max),
                     .connections_per_source_max = absl::GetFlag(FLAGS_connections_per_source_max)};
  options.limits = {.handshake_timeout = absl::GetFlag(FLAGS_header_timeout),
                    .idle_timeout = absl::GetFlag(FLAGS_idle_timeout)};
  if (absl::GetFlag(FLAGS_log_calls)) options.calls_level = spdlog::level::info;
  if (absl::Status tls = AddTlsFromFlags(options); !tls.ok()) return tls;
  return options;
}

}  // namespace rawgate::gateway
