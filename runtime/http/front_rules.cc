#include "runtime/http/front_rules.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "runtime/base/status.h"

namespace rawgate::http {
namespace {

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '.' || c == '_';
}

// "Example.org:8088" is "example.org", "[::1]:80" is "[::1]"; nullopt for what is no host. Ports
// do not matter: they differ where a port is mapped, and a web page cannot choose the port of
// another's name.
std::optional<std::string> HostOf(absl::string_view authority) {
  size_t end = 0;
  if (absl::StartsWith(authority, "[")) {
    end = authority.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    ++end;
  } else {
    end = std::min(authority.find(':'), authority.size());
  }
  const absl::string_view host = authority.substr(0, end);
  absl::string_view port = authority.substr(end);
  uint32_t number = 0;
  if (absl::ConsumePrefix(&port, ":") && !port.empty() &&
      (!absl::SimpleAtoi(port, &number) || number > 65'535 ||
       !absl::ascii_isdigit(static_cast<unsigned char>(port[0])))) {
    return std::nullopt;
  }
  if (end < authority.size() && authority[end] != ':') return std::nullopt;
  const bool named = !absl::StartsWith(host, "[");
  if (host.empty() || (named && !std::all_of(host.begin(), host.end(), IsHostCharacter))) {
    return std::nullopt;
  }
  return absl::AsciiStrToLower(host);
}

// The address that `host` writes in numbers, as an endpoint of port 0.
std::optional<net::Endpoint> AddressOf(const std::string& host) {
  const auto endpoint = net::Endpoint::Parse(absl::StrCat("tcp://", host, ":0"));
  if (!endpoint.ok() || host == "localhost") return std::nullopt;
  return *endpoint;
}

bool IsSameAddress(net::Endpoint a, net::Endpoint b) {
  a.set_port(0);
  b.set_port(0);
  return a.HostPort() == b.HostPort();
}

// "https://console.example:8443": scheme and authority, without a path.
std::optional<std::string> AuthorityOf(absl::string_view origin) {
  if (!absl::ConsumePrefix(&origin, "https://") && !absl::ConsumePrefix(&origin, "http://")) {
    return std::nullopt;
  }
  if (!HostOf(origin).has_value()) return std::nullopt;
  return absl::AsciiStrToLower(origin);
}

absl::Status BadOption(absl::string_view flag, absl::string_view value, absl::string_view wanted) {
  return FieldError(flag, "BAD_OPTION",
                    absl::StrCat("--", flag, ": \"", value, "\" is no ", wanted));
}

bool IsFieldNameList(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == ',' ||
           c == ' ';
  });
}

}  // namespace

absl::StatusOr<FrontRules> FrontRules::Make(const std::vector<std::string>& hosts,
                                            const std::vector<std::string>& origins) {
  FrontRules rules;
  for (const std::string& host : hosts) {
    const std::optional<std::string> name = HostOf(host);
    if (!name.has_value() || name->size() != host.size()) {
      return BadOption("http_hosts", host, "name of a host, such as rawgate.example");
    }
    rules.hosts_.insert(*name);
  }
  for (const std::string& origin : origins) {
    if (!AuthorityOf(origin).has_value()) {
      return BadOption("http_origins", origin, "origin, such as https://console.example:8443");
    }
    rules.origins_.insert(absl::AsciiStrToLower(origin));
  }
  return rules;
}

std::optional<Refusal> FrontRules::Check(const Request& request, const net::Endpoint& local) const {
  if (auto wrong = CheckHost(request, local); wrong.has_value()) return wrong;
  return CheckOrigin(request);
}

std::optional<Refusal> FrontRules::CheckHost(const Request& request,
                                             const net::Endpoint& local) const {
  const std::string* const field = request.fields.Find("host");
  if (field == nullptr) {
    if (request.version < 11) return std::nullopt;
    return Refusal{400, "no field host"};
  }
  const std::optional<std::string> host = HostOf(*field);
  if (!host.has_value()) return Refusal{400, "the field host names no host"};
  if (*host == "localhost" || hosts_.contains(*host)) return std::nullopt;
  const std::optional<net::Endpoint> address = AddressOf(*host);
  if (address.has_value() && (address->IsLoopback() || IsSameAddress(*address, local))) {
    return std::nullopt;
  }
  return Refusal{421, absl::StrCat("this server is not ", *host, "; see --http_hosts")};
}

std::optional<Refusal> FrontRules::CheckOrigin(const Request& request) const {
  const std::string* const origin = request.fields.Find("origin");
  if (origin == nullptr) {
    // What a page of another origin sends without saying so, as an image or a script. Links to
    // here are fine.
    const absl::string_view site = request.fields.Get("sec-fetch-site");
    const bool foreign = site == "cross-site" || site == "same-site";
    if (!foreign || request.fields.Get("sec-fetch-mode") == "navigate") return std::nullopt;
    return Refusal{403, "sent by a page of another origin; see --http_origins"};
  }
  if (IsListedOrigin(*origin)) return std::nullopt;
  const std::optional<std::string> authority = AuthorityOf(*origin);
  if (authority.has_value() && absl::EqualsIgnoreCase(*authority, request.fields.Get("host"))) {
    return std::nullopt;
  }
  return Refusal{403, "sent by a page of another origin; see --http_origins"};
}

bool FrontRules::IsListedOrigin(absl::string_view origin) const {
  return origins_.contains(absl::AsciiStrToLower(origin));
}

std::optional<Response> FrontRules::Preflight(const Request& request) const {
  if (request.method != "OPTIONS" || !IsListedOrigin(request.fields.Get("origin"))) {
    return std::nullopt;
  }
  if (request.fields.Find("access-control-request-method") == nullptr) return std::nullopt;
  Response response{
      .status = 204,
      .fields = {{"access-control-allow-methods", "GET, POST"}, {"access-control-max-age", "7200"}},
      .body = {}};
  // Metadata may have any name, so any is allowed; it is the origin that is trusted or not.
  const absl::string_view wanted = request.fields.Get("access-control-request-headers");
  if (!wanted.empty() && IsFieldNameList(wanted)) {
    response.fields.Add("access-control-allow-headers", wanted);
  }
  return response;
}

void FrontRules::AddCorsFields(const Request& request, Fields* to) const {
  if (origins_.empty()) return;
  to->Add("vary", "origin");
  const absl::string_view origin = request.fields.Get("origin");
  if (!IsListedOrigin(origin)) return;
  to->Add("access-control-allow-origin", origin);
  to->Add("access-control-expose-headers", "*");
}

}  // namespace rawgate::http
