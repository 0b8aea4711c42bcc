#include "cli/doctor/service_checks.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "cli/doctor/local_sockets.h"
#include "cli/proto_text.h"
#include "cli/raw_address.h"
#include "cli/replicas.h"

namespace rawgate::cli {
namespace {

using control::v1::Listener;
using control::v1::Service;

// "echo", or where there are several "echo 3f9a1c2b".
std::string NameOf(const Service& service, const std::set<std::string>& replicated) {
  if (replicated.count(service.name()) == 0) return service.name();
  const std::string which =
      service.instance().empty() ? service.address() : ShortInstance(service.instance());
  return absl::StrCat(service.name(), " ", which);
}

void CheckProcess(const Service& service, const std::string& name, CheckList& checks) {
  const std::string state = StateName(service.state());
  switch (service.state()) {
    case control::v1::SERVICE_STATE_RUNNING:
      return checks.Ok("service.state", name,
                       absl::StrCat("running, instance ", ShortInstance(service.instance()),
                                    ", version ", service.version()));
    case control::v1::SERVICE_STATE_UNREACHABLE:
      return checks.Fail(
          "service.state", name,
          absl::StrCat("does not answer the gateway at ", service.address(),
                       service.last_error().empty() ? "" : ": ", service.last_error()),
          absl::StrCat("Start rawgate-", service.name(), ", or see its log for why it ended."));
    case control::v1::SERVICE_STATE_STOPPED:
      return checks.Warn("service.state", name, "stopped by an operator",
                         absl::StrCat("'rawgate start ", service.name(), "' brings it back."));
    case control::v1::SERVICE_STATE_FAILED:
      return checks.Fail(
          "service.state", name,
          absl::StrCat("failed", service.last_error().empty() ? "" : ": ", service.last_error()),
          absl::StrCat("Free the address, then 'rawgate start ", service.name(), "'."));
    default:
      return checks.Warn("service.state", name, state, "Look again in some seconds.");
  }
}

void CheckVersion(const Service& service, const std::string& name, const std::string& version,
                  CheckList& checks) {
  if (service.version().empty() || service.version() == version) return;
  checks.Warn("service.version", name,
              absl::StrCat("is version ", service.version(), ", and this program ", version),
              "Upgrade both to the same version.");
}

void CheckFailedListener(const Listener& listener, const std::string& name, bool local,
                         CheckList& checks) {
  std::string who;
  const auto address = ParseRawAddress(listener.configured_address());
  if (local && address.ok()) who = NamesOf(HoldersOf(*address));
  checks.Fail(
      "listener.bound", name,
      absl::StrCat(listener.last_error(), who.empty() ? "" : "; the port is taken by ", who),
      absl::StrCat(who.empty() ? "Free the address" : "Stop that program",
                   ", or give --listen another port, then 'rawgate start ", name, "'."));
}

void CheckListener(const Service& service, const Listener& listener, bool local,
                   CheckList& checks) {
  const std::string name = absl::StrCat(service.name(), "/", listener.name());
  if (listener.state() == control::v1::SERVICE_STATE_FAILED) {
    CheckFailedListener(listener, name, local, checks);
  } else if (listener.state() == control::v1::SERVICE_STATE_STOPPED &&
             service.state() != control::v1::SERVICE_STATE_STOPPED) {
    checks.Warn("listener.bound", name, "stopped by an operator",
                absl::StrCat("'rawgate start ", name, "' brings it back."));
  }
  if (listener.has_faults()) {
    checks.Warn("listener.faults", name,
                "misbehaves on purpose: faults are set, and clients suffer from them",
                absl::StrCat("'rawgate fault ", name, "' shows them, 'rawgate fault clear ", name,
                             "' ends them."));
  }
}

}  // namespace

void CheckServices(const control::v1::ListServicesResponse& services, const std::string& version,
                   bool local, CheckList& checks) {
  if (services.services().empty()) {
    checks.Warn("service.state", "", "the gateway knows no services",
                "Give it their addresses with --backends.");
  }
  const std::set<std::string> replicated = ReplicatedServices(services);
  for (const Service& service : services.services()) {
    const std::string name = NameOf(service, replicated);
    CheckProcess(service, name, checks);
    CheckVersion(service, name, version, checks);
    // What is known of a process that does not answer is of the past.
    if (service.state() == control::v1::SERVICE_STATE_UNREACHABLE) continue;
    for (const Listener& listener : service.listeners()) {
      CheckListener(service, listener, local, checks);
    }
  }
}

}  // namespace rawgate::cli
