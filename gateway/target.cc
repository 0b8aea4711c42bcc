#include "gateway/target.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"
#include "runtime/observe/event_log.h"

namespace rawgate::gateway {
namespace {

// What gRPC takes for a target that names no port.
constexpr char kDefaultPort[] = "443";

absl::Status BadTarget(absl::string_view text, absl::string_view what) {
  return FieldError("backends", "BAD_BACKENDS",
                    absl::StrCat("--backends: ", observe::Quoted(text), " ", what));
}

bool IsNumeric(int family, const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return ::inet_pton(family, host.c_str(), address) == 1;
}

bool IsPort(absl::string_view port) {
  int number = 0;
  return absl::SimpleAtoi(port, &number) && number > 0 && number <= 65535;
}

// "host:port", "[host]:port", "host", or an IPv6 address alone.
std::pair<std::string, std::string> SplitHostPort(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "[")) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(']', 1));
    const absl::string_view port = absl::StripPrefix(parts.second, ":");
    return {parts.first, port.empty() ? kDefaultPort : std::string(port)};
  }
  const size_t colon = text.find(':');
  if (colon == text.npos || colon != text.rfind(':')) return {std::string(text), kDefaultPort};
  return {std::string(text.substr(0, colon)), std::string(text.substr(colon + 1))};
}

absl::StatusOr<Target> ParseList(int family, absl::string_view text, absl::string_view list) {
  Target target;
  for (const absl::string_view item : absl::StrSplit(list, ',')) {
    const auto [host, port] = SplitHostPort(item);
    if (!IsNumeric(family, host) || !IsPort(port)) {
      return BadTarget(text,
                       absl::StrCat("lists ", observe::Quoted(item), ", which is no ",
                                    family == AF_INET ? "IPv4" : "IPv6", " address with a port"));
    }
    target.addresses.push_back(AddressTarget(host, port));
  }
  std::sort(target.addresses.begin(), target.addresses.end());
  target.addresses.erase(std::unique(target.addresses.begin(), target.addresses.end()),
                         target.addresses.end());
  if (target.addresses.size() > kReplicasMax) {
    return BadTarget(text, absl::StrCat("lists more than ", kReplicasMax, " addresses"));
  }
  return target;
}

}  // namespace

std::string AddressTarget(const std::string& host, const std::string& port) {
  if (IsNumeric(AF_INET, host)) return absl::StrCat("ipv4:", host, ":", port);
  // A zone ("fe80::1%eth0") is part of a URI here.
  return absl::StrCat("ipv6:[", absl::StrReplaceAll(host, {{"%", "%25"}}), "]:", port);
}

absl::StatusOr<net::Endpoint> EndpointOf(absl::string_view address) {
  absl::string_view rest = address;
  sockaddr_un path{};
  path.sun_family = AF_UNIX;
  if (absl::ConsumePrefix(&rest, "unix-abstract:")) {
    if (rest.size() >= sizeof(path.sun_path)) return BadTarget(address, "is too long");
    rest.copy(path.sun_path + 1, rest.size());
    const size_t size = offsetof(sockaddr_un, sun_path) + 1 + rest.size();
    return net::Endpoint(net::Transport::kUnix, reinterpret_cast<sockaddr*>(&path),
                         static_cast<socklen_t>(size));
  }
  if (absl::ConsumePrefix(&rest, "unix:")) {
    // With two slashes the path is absolute.
    absl::ConsumePrefix(&rest, "//");
    if (rest.empty() || rest.size() >= sizeof(path.sun_path))
      return BadTarget(address, "names no path, or too long a one");
    rest.copy(path.sun_path, rest.size());
    return net::Endpoint(net::Transport::kUnix, reinterpret_cast<sockaddr*>(&path), sizeof(path));
  }
  if (!absl::ConsumePrefix(&rest, "ipv4:")) absl::ConsumePrefix(&rest, "ipv6:");
  const auto [host, port] = SplitHostPort(rest);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  // The zone of an IPv6 address is looked up among the machine's interfaces.
  const std::string plain = absl::StrReplaceAll(host, {{"%25", "%"}});
  const int error = ::getaddrinfo(plain.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return BadTarget(address, ::gai_strerror(error));
  const net::Endpoint endpoint(net::Transport::kTcp, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return endpoint;
}

absl::StatusOr<Target> ParseTarget(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "ipv4:")) return ParseList(AF_INET, text, rest);
  if (absl::ConsumePrefix(&rest, "ipv6:")) return ParseList(AF_INET6, text, rest);
  for (const char* scheme : {"unix:", "unix-abstract:"}) {
    if (!absl::StartsWith(text, scheme)) continue;
    if (absl::StatusOr<net::Endpoint> path = EndpointOf(text); !path.ok()) return path.status();
    return Target{.addresses = {std::string(text)}};
  }
  for (const char* scheme : {"xds:", "google-c2p:", "vsock:"}) {
    if (absl::StartsWith(text, scheme))
      return BadTarget(text, "has a scheme that is not supported");
  }
  if (absl::ConsumePrefix(&rest, "dns:")) {
    if (absl::StartsWith(rest, "//") && !absl::StartsWith(rest, "///"))
      return BadTarget(text,
                       "names a name server; names are looked up as the machine is set up to");
    if (!absl::ConsumePrefix(&rest, "///")) absl::ConsumePrefix(&rest, "/");
  }
  auto [host, port] = SplitHostPort(rest);
  if (host.empty() || port.empty()) return BadTarget(text, "names no host and port");
  if ((IsNumeric(AF_INET, host) || IsNumeric(AF_INET6, host)) && IsPort(port))
    return Target{.addresses = {AddressTarget(host, port)}};
  return Target{.host = std::move(host), .port = std::move(port)};
}

}  // namespace rawgate::gateway
