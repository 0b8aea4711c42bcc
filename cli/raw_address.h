// Addresses of raw listeners, as `rawgate ps` shows them, and sockets connected to them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

struct RawAddress {
  enum class Kind { kTcp, kTls, kUdp, kUnix, kUnixDatagram };

  Kind kind = Kind::kTcp;
  // A name or an address without brackets; of Unix sockets the path.
  std::string host = {};
  uint16_t port = 0;

  bool is_unix() const { return kind == Kind::kUnix || kind == Kind::kUnixDatagram; }
  bool is_datagram() const { return kind == Kind::kUdp || kind == Kind::kUnixDatagram; }
  // 0.0.0.0 or ::, which is every address of its machine.
  bool is_any() const;
  // An address of 127.0.0.0/8, ::1, or "localhost".
  bool is_loopback() const;
  std::string ToUri() const;
};

// "tcp://127.0.0.1:8080", "udp://[::1]:9000", "unix:///run/x.sock"; what follows a '?' is of no
// interest here. Error: INVALID_ARGUMENT (BAD_ADDRESS).
absl::StatusOr<RawAddress> ParseRawAddress(absl::string_view uri);

// HOST:PORT as "127.0.0.1:80", "[::1]:80" and "name:80". Error: INVALID_ARGUMENT (BAD_ADDRESS).
absl::StatusOr<RawAddress> ParseHostPort(absl::string_view text, RawAddress::Kind kind);

// A connected, blocking socket: streams without Nagle's delay, datagrams for this peer alone. A
// name's addresses are tried one after another. Errors: UNAVAILABLE (NAME_UNKNOWN); of connect(2);
// DEADLINE_EXCEEDED (NO_ANSWER). Looking a name up is not bounded by `patience`.
absl::StatusOr<Fd> ConnectRaw(const RawAddress& address, absl::Duration patience);

}  // namespace rawgate::cli
