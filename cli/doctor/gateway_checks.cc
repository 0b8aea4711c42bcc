#include "cli/doctor/gateway_checks.h"

#include <array>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "cli/display_text.h"
#include "cli/doctor/credential_checks.h"
#include "cli/doctor/local_sockets.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::ControlService;
using exec::v1::ExecService;
using time::v1::TimeService;

constexpr absl::Duration kPatience = absl::Seconds(3);
// Programs that are told of.
constexpr size_t kNamedMax = 5;

// What runs here, for whoever wonders where the gateway is.
std::string WhatRunsHere(const std::vector<LocalProgram>& programs) {
  if (programs.empty()) {
    return "No rawgate program runs on this machine: './script/up -d', 'docker compose up -d' or "
           "'systemctl start rawgate-gateway' starts them.";
  }
  std::vector<std::string> gateways;
  for (const LocalProgram& program : programs) {
    if (program.name != "rawgate-gateway" || gateways.size() == kNamedMax) continue;
    gateways.push_back(
        absl::StrCat("process ", program.pid, " at port ", absl::StrJoin(program.tcp_ports, ", ")));
  }
  if (!gateways.empty()) {
    return absl::StrCat("A rawgate-gateway runs here, but elsewhere: ",
                        absl::StrJoin(gateways, "; "), ". --gateway=ADDRESS names it.");
  }
  std::vector<std::string> names;
  for (const LocalProgram& program : programs) {
    if (names.size() < kNamedMax) names.push_back(program.name);
  }
  return absl::StrCat("No rawgate-gateway runs on this machine, but ", absl::StrJoin(names, ", "),
                      ". Start it, or see its log for why it ended.");
}

// False when nothing listens.
bool CheckConnection(const RawAddress& address, CheckList& checks) {
  const absl::Time begin = absl::Now();
  const absl::StatusOr<Fd> fd = ConnectRaw(address, kPatience);
  if (fd.ok()) {
    checks.Ok("gateway.connect", "gateway",
              absl::StrCat(address.ToUri(), " accepts connections, after ",
                           HumanDuration(absl::Now() - begin)));
    return true;
  }
  const std::string what(fd.status().message());
  if (ReasonOf(fd.status()) == "NAME_UNKNOWN") {
    checks.Fail("gateway.name", "gateway", what,
                "Is the name right? /etc/hosts or DNS must know it; an address does as well.");
    return false;
  }
  const bool local = address.is_loopback();
  checks.Fail("gateway.connect", "gateway", what,
              local ? WhatRunsHere(ProgramsNamed("rawgate-"))
                    : "Is the machine on, and the gateway running there? Does it listen at more "
                      "than loopback, and does no firewall drop this port?");
  return false;
}

std::string RemedyFor(const absl::Status& status) {
  const std::string reason = ReasonOf(status);
  if (reason == "CREDENTIALS_MISSING") {
    return "--token-file=FILE or $RAWGATE_TOKEN says who you are; 'rawgate new-token' makes one.";
  }
  if (reason == "CREDENTIALS_UNKNOWN") {
    return "The gateway's access file does not have it: 'rawgate new-token' prints what to add.";
  }
  if (reason == "TOKEN_IN_THE_CLEAR") return "--tls-ca=FILE encrypts the connection.";
  if (reason == "CERTIFICATE_UNTRUSTED") {
    return "Give --tls-ca the ca.pem of the gateway's; 'rawgate init-tls --renew' makes new ones.";
  }
  if (reason == "CERTIFICATE_OF_ANOTHER") {
    return "--gateway=NAME uses one that it is for; 'rawgate init-tls --renew --host NAME' makes "
           "one for more.";
  }
  if (reason == "NOT_TLS") return "Leave --tls-ca out, or start the gateway with TLS.";
  return "If it speaks TLS, it takes --tls-ca; if another program listens there, --gateway names "
         "the right one.";
}

// Whether a call that needs the role is let through to its method, which then finds nothing to do.
template <typename Stub, typename Request, typename Response>
bool MayCall(Stub& stub,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
             const Request& request) {
  const auto response = Call(stub, method, request, kPatience);
  const std::string reason = ReasonOf(response.status());
  return reason != "ROLE_TOO_LOW" && !absl::IsUnauthenticated(response.status()) &&
         !absl::IsDeadlineExceeded(response.status());
}

// The highest role, by what nobody notices.
const char* FindRole(const Gateway& gateway) {
  control::v1::SetFaultsRequest no_service;
  if (MayCall(*gateway.Stub<ControlService>(), &ControlService::Stub::SetFaults, no_service))
    return "admin";
  exec::v1::SignalJobRequest no_job;
  if (MayCall(*gateway.Stub<ExecService>(), &ExecService::Stub::SignalJob, no_job))
    return "executor";
  if (MayCall(*gateway.Stub<TimeService>(), &TimeService::Stub::GetTime, {})) return "operator";
  return "viewer";
}

}  // namespace

std::optional<RawAddress> AddressOfTarget(absl::string_view target) {
  if (absl::ConsumePrefix(&target, "unix:")) {
    absl::ConsumePrefix(&target, "//");
    return RawAddress{.kind = RawAddress::Kind::kUnix, .host = std::string(target)};
  }
  for (const absl::string_view scheme : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (absl::ConsumePrefix(&target, scheme)) break;
  }
  const auto address = ParseHostPort(target, RawAddress::Kind::kTcp);
  if (!address.ok()) return std::nullopt;
  return *address;
}

std::optional<control::v1::ListServicesResponse> CheckGateway(const Context& context,
                                                              CheckList& checks) {
  Gateway& gateway = context.gateway;
  const std::optional<RawAddress> address = AddressOfTarget(gateway.target());
  if (address && !CheckConnection(*address, checks)) return std::nullopt;
  const SecurityOptions& options = context.security_options;
  if (address && !options.tls_ca.empty()) CheckServerCertificate(*address, options, checks);
  if (const absl::Status connected = gateway.Connect(); !connected.ok()) {
    checks.Fail("gateway.rpc", "gateway", absl::StrCat(gateway.target(), ": ", connected.message()),
                RemedyFor(connected));
    return std::nullopt;
  }
  auto services = Call(*gateway.Stub<ControlService>(), &ControlService::Stub::ListServices, {},
                       absl::Seconds(5));
  if (!services.ok()) {
    const absl::Status& status = services.status();
    checks.Fail("gateway.rpc", "gateway", std::string(status.message()), RemedyFor(status));
    return std::nullopt;
  }
  checks.Ok("gateway.rpc", "gateway",
            absl::StrCat("answers calls", options.tls_ca.empty() ? "" : " over TLS", "; role ",
                         FindRole(gateway)));
  return *std::move(services);
}

}  // namespace rawgate::cli
