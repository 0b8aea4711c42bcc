// Where a raw listener is, as a lesson's socket takes it.
#pragma once

#include <sys/socket.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rawgate::cli::lab {

class Address {
 public:
  Address() = default;
  // `uri` as listeners tell it, such as "tcp://127.0.0.1:8080", "udp://[::1]:9000" or
  // "unix:///run/echo.sock"; names of hosts are looked up. Errors: INVALID_ARGUMENT (BAD_ADDRESS),
  // NOT_FOUND (HOST_NOT_FOUND).
  static absl::StatusOr<Address> Parse(absl::string_view uri);
  // What getsockname(2) or getpeername(2) tell of `fd`, whose scheme, "tcp" or "udp", is known.
  static Address LocalOf(int fd, absl::string_view scheme);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }
  int family() const { return storage_.ss_family; }
  // As parsed, with numbers in place of names.
  const std::string& uri() const { return uri_; }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
  std::string uri_;
};

// What is between "://" and the port, without brackets; empty for Unix sockets.
std::string HostOf(absl::string_view uri);
// `uri` with another host.
std::string WithHost(absl::string_view uri, absl::string_view host);
// 0.0.0.0 and [::]: every address of the machine, and none to connect to from elsewhere.
bool IsWildcard(absl::string_view uri);

}  // namespace rawgate::cli::lab
