#include "gateway/target.h"

#include <arpa/inet.h>

#include <algorithm>
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

absl::StatusOr<Target> ParseTarget(absl::string_view text) {
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "ipv4:")) return ParseList(AF_INET, text, rest);
  if (absl::ConsumePrefix(&rest, "ipv6:")) return ParseList(AF_INET6, text, rest);
  for (const char* scheme : {"unix:", "unix-abstract:", "xds:", "google-c2p:"}) {
    if (absl::StartsWith(text, scheme)) return Target{.addresses = {std::string(text)}};
  }
  if (absl::ConsumePrefix(&rest, "dns:")) {
    // With a name server of its own, which only gRPC knows to ask.
    if (absl::StartsWith(rest, "//") && !absl::StartsWith(rest, "///"))
      return Target{.addresses = {std::string(text)}};
    if (!absl::ConsumePrefix(&rest, "///")) absl::ConsumePrefix(&rest, "/");
  }
  auto [host, port] = SplitHostPort(rest);
  if (host.empty() || port.empty()) return BadTarget(text, "names no host and port");
  if ((IsNumeric(AF_INET, host) || IsNumeric(AF_INET6, host)) && IsPort(port))
    return Target{.addresses = {AddressTarget(host, port)}};
  return Target{.host = std::move(host), .port = std::move(port)};
}

}  // namespace rawgate::gateway
