// Raw sockets to the listeners, from here.
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/doctor/service_checks.h"
#include "cli/raw_address.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using control::v1::Listener;
using control::v1::Service;

constexpr absl::Duration kPatience = absl::Seconds(3);
// UDP may lose one.
constexpr int kDatagrams = 3;

// What may be sent to a listener of datagrams without anybody being bothered; null where nothing.
const char* HarmlessDatagram(const Service& service, const Listener& listener) {
  if (!absl::StartsWith(listener.name(), "udp")) return nullptr;
  if (service.name() == "time") return "%s";
  return service.name() == "echo" ? "rawgate doctor" : nullptr;
}

// Sends it until something comes back.
absl::Status Exchange(int fd, absl::string_view datagram) {
  timeval patience = absl::ToTimeval(kPatience / kDatagrams);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  for (int i = 0; i < kDatagrams; ++i) {
    if (::send(fd, datagram.data(), datagram.size(), MSG_NOSIGNAL) < 0) {
      return ErrnoError(errno, "send");
    }
    char byte = 0;
    if (::recv(fd, &byte, 1, 0) >= 0) return absl::OkStatus();
    if (errno != EAGAIN && errno != EINTR) return ErrnoError(errno, "receive");
  }
  return Error(absl::StatusCode::kDeadlineExceeded, "NO_ANSWER", "datagrams are not answered");
}

// What one service's listeners have come to.
struct Probed {
  std::vector<std::string> good;
  std::vector<std::string> not_tried;
};

void Probe(const Service& service, const Listener& listener, RawAddress address, bool local,
           const std::string& gateway_host, Probed& probed, CheckList& checks) {
  if (address.is_any()) address.host = gateway_host;
  if (!local && address.is_loopback()) return probed.not_tried.push_back(listener.name());
  const char* const datagram = HarmlessDatagram(service, listener);
  if (address.is_datagram() && datagram == nullptr) {
    return probed.not_tried.push_back(listener.name());
  }
  const absl::StatusOr<Fd> fd = ConnectRaw(address, kPatience);
  absl::Status status = fd.status();
  if (fd.ok() && address.is_datagram()) status = Exchange(fd->get(), datagram);
  if (status.ok()) return probed.good.push_back(listener.name());
  checks.Fail(
      "listener.reachable", absl::StrCat(service.name(), "/", listener.name()),
      absl::StrCat("bound, but ", address.ToUri(), " cannot be used from here: ", status.message()),
      "Is it in another network namespace, or a container that does not publish the port? "
      "Does a firewall drop it? Does the listener allow this source?");
}

void ProbeService(const Service& service, bool local, const std::string& gateway_host,
                  CheckList& checks) {
  Probed probed;
  for (const Listener& listener : service.listeners()) {
    if (listener.state() != control::v1::SERVICE_STATE_RUNNING) continue;
    const auto address = ParseRawAddress(listener.bound_address());
    if (address.ok()) {
      Probe(service, listener, *address, local, gateway_host, probed, checks);
    } else {
      probed.not_tried.push_back(listener.name());
    }
  }
  if (!probed.good.empty()) {
    checks.Ok("listener.reachable", service.name(),
              absl::StrCat("usable from here: ", absl::StrJoin(probed.good, ", ")));
  }
  if (!probed.not_tried.empty()) {
    checks.Skip(
        "listener.reachable", service.name(),
        absl::StrCat("bound, not tried from here: ", absl::StrJoin(probed.not_tried, ", ")));
  }
}

}  // namespace

void ProbeListeners(const control::v1::ListServicesResponse& services, bool local,
                    const std::string& gateway_host, CheckList& checks) {
  for (const Service& service : services.services()) {
    if (service.state() == control::v1::SERVICE_STATE_UNREACHABLE) continue;
    ProbeService(service, local, gateway_host, checks);
  }
}

}  // namespace rawgate::cli
