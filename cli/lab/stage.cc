#include "cli/lab/stage.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "cli/command.h"
#include "cli/lab/far_watch.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

using control::v1::ControlService;
using control::v1::Transport;

std::string SchemeOf(Transport transport) {
  if (transport == control::v1::TRANSPORT_UDP) return "udp";
  return transport == control::v1::TRANSPORT_UNIX ? "unix" : "tcp";
}

bool HasRole(const std::string& listener, const std::string& role) {
  return listener == role || absl::StartsWith(listener, absl::StrCat(role, "-"));
}

std::string HowToStart(const std::string& service, const std::string& role, Transport transport) {
  const bool is_unix = transport == control::v1::TRANSPORT_UNIX;
  return absl::StrCat("this lesson needs the service '", service, "' with a listener '", role,
                      "' over ", SchemeOf(transport), ", and none runs. 'rawgate start ", service,
                      "' brings a stopped one back, './script/up' starts everything",
                      is_unix ? absl::StrCat(", rawgate-", service, " --listen=", role,
                                             "=unix:///tmp/", service, ".sock,... has it")
                              : "");
}

// The host of a gateway's address as gRPC reads it: "dns:///lab:50051", "ipv4:10.0.0.1:50051".
std::string GatewayHost(absl::string_view target) {
  for (const absl::string_view prefix : {"dns:///", "dns:", "ipv4:", "ipv6:"}) {
    if (absl::ConsumePrefix(&target, prefix)) break;
  }
  return HostOf(absl::StrCat("tcp://", target));
}

}  // namespace

Stage::Stage(Context& context, std::map<std::string, std::string> addresses)
    : context_(context),
      addresses_(std::move(addresses)),
      interrupted_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      scope_(context.interrupt, [fd = interrupted_.get()] { ::eventfd_write(fd, 1); }) {}

Stage::~Stage() = default;

Gateway& Stage::gateway() { return context_.gateway; }

absl::StatusOr<Address> Stage::Reachable(const std::string& name,
                                         const std::string& bound_address) {
  if (const auto given = addresses_.find(name); given != addresses_.end()) {
    const size_t scheme = bound_address.find("://");
    return Address::Parse(
        absl::StrContains(given->second, "://")
            ? given->second
            : absl::StrCat(bound_address.substr(0, scheme), "://", given->second));
  }
  // Every address of its machine, which the gateway is at as well, as far as we know.
  if (IsWildcard(bound_address)) {
    const std::string host = GatewayHost(gateway().target());
    return Address::Parse(WithHost(bound_address, host.empty() ? "127.0.0.1" : host));
  }
  return Address::Parse(bound_address);
}

absl::StatusOr<Target> Stage::Find(const std::string& service, const std::string& role,
                                   Transport transport) {
  const auto stub = gateway().Stub<ControlService>();
  const auto services =
      Call(*stub, &ControlService::Stub::ListServices, control::v1::ListServicesRequest());
  if (!services.ok()) return services.status();
  for (const auto& each : services->services()) {
    if (each.name() != service) continue;
    for (const auto& listener : each.listeners()) {
      if (listener.transport() != transport || !HasRole(listener.name(), role) ||
          listener.state() != control::v1::SERVICE_STATE_RUNNING) {
        continue;
      }
      Target target{service, listener.name(), each.instance(), {}};
      auto address = Reachable(target.Name(), listener.bound_address());
      if (!address.ok()) return address.status();
      target.address = *std::move(address);
      return target;
    }
  }
  return Error(absl::StatusCode::kFailedPrecondition, "LISTENER_MISSING",
               HowToStart(service, role, transport));
}

absl::StatusOr<FarWatch*> Stage::Watch(const std::string& service) {
  auto& watch = watches_[service];
  if (!watch) {
    auto started = FarWatch::Start(gateway(), context_.interrupt, service);
    if (!started.ok()) return started.status();
    watch = *std::move(started);
  }
  return watch.get();
}

absl::StatusOr<short> Stage::Wait(int fd, short events, absl::Time deadline) {
  while (true) {
    pollfd polled[2] = {{interrupted_.get(), POLLIN, 0}, {fd, events, 0}};
    const absl::Duration left = std::max(absl::ZeroDuration(), deadline - absl::Now());
    const timespec timeout = absl::ToTimespec(std::min(left, absl::Hours(1)));
    const int ready = ::ppoll(polled, 2, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) return ErrnoError(errno, "poll");
    if (polled[0].revents != 0) {
      return Error(absl::StatusCode::kCancelled, "INTERRUPTED", "interrupted");
    }
    if (ready > 0 && polled[1].revents != 0) return polled[1].revents;
    if (absl::Now() >= deadline) return short{0};
  }
}

}  // namespace rawgate::cli::lab
