#include "cli/lab/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

struct Parts {
  std::string scheme;
  std::string host;
  std::string port;
};

absl::Status BadAddress(absl::string_view uri) {
  return Error(absl::StatusCode::kInvalidArgument, "BAD_ADDRESS",
               absl::StrCat("'", uri, "' is no address such as 127.0.0.1:8080"));
}

// Empty parts where there are none.
Parts Split(absl::string_view uri) {
  Parts parts;
  const size_t scheme = uri.find("://");
  if (scheme == uri.npos) return parts;
  parts.scheme = std::string(uri.substr(0, scheme));
  uri.remove_prefix(scheme + 3);
  const size_t port = uri.rfind(':');
  if (absl::StartsWith(parts.scheme, "unix") || port == uri.npos) return parts;
  parts.port = std::string(uri.substr(port + 1));
  absl::string_view host = uri.substr(0, port);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  }
  parts.host = std::string(host);
  return parts;
}

std::string Join(absl::string_view scheme, absl::string_view host, absl::string_view port) {
  const bool is_v6 = absl::StrContains(host, ":");
  return absl::StrCat(scheme, "://", is_v6 ? "[" : "", host, is_v6 ? "]" : "", ":", port);
}

std::string UriOf(const sockaddr* address, socklen_t size, absl::string_view scheme) {
  char host[NI_MAXHOST] = "";
  char port[NI_MAXSERV] = "";
  if (::getnameinfo(address, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "";
  }
  return Join(scheme, host, port);
}

}  // namespace

absl::StatusOr<Address> Address::Parse(absl::string_view uri) {
  Address address;
  address.uri_ = std::string(uri);
  if (absl::StartsWith(uri, "unix://")) {
    const absl::string_view path = uri.substr(7);
    sockaddr_un unix_address{};
    unix_address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(unix_address.sun_path)) return BadAddress(uri);
    std::memcpy(unix_address.sun_path, path.data(), path.size());
    std::memcpy(&address.storage_, &unix_address, sizeof(unix_address));
    address.size_ = sizeof(unix_address);
    return address;
  }
  const Parts parts = Split(uri);
  if (parts.host.empty() || parts.port.empty()) return BadAddress(uri);
  addrinfo hints{};
  hints.ai_socktype = parts.scheme == "udp" ? SOCK_DGRAM : SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(parts.host.c_str(), parts.port.c_str(), &hints, &found);
  if (failure != 0) {
    return Error(absl::StatusCode::kNotFound, "HOST_NOT_FOUND",
                 absl::StrCat(uri, ": ", ::gai_strerror(failure)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  std::memcpy(&address.storage_, found->ai_addr, found->ai_addrlen);
  address.size_ = found->ai_addrlen;
  address.uri_ = UriOf(found->ai_addr, found->ai_addrlen, parts.scheme);
  return address;
}

Address Address::LocalOf(int fd, absl::string_view scheme) {
  Address address;
  address.size_ = sizeof(address.storage_);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address.storage_), &address.size_);
  if (address.family() != AF_UNIX) address.uri_ = UriOf(address.get(), address.size_, scheme);
  return address;
}

std::string HostOf(absl::string_view uri) { return Split(uri).host; }

std::string WithHost(absl::string_view uri, absl::string_view host) {
  const Parts parts = Split(uri);
  return Join(parts.scheme, host, parts.port);
}

bool IsWildcard(absl::string_view uri) {
  const std::string host = Split(uri).host;
  return host == "0.0.0.0" || host == "::";
}

}  // namespace rawgate::cli::lab
