// Addresses as sessions know them: the id by which operators name a peer, and the bytes that let a
// later process answer it.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "runtime/net/datagram_batch.h"
#include "runtime/net/endpoint.h"

namespace rawgate::chat {

// Valid UTF-8, never empty, and no two peers have the same: "127.0.0.1:40312", "[::1]:40312",
// "[fe80::1%2]:40312" with the index of the interface, an absolute path, "./" and a path that is
// none, or "@NAME" of an abstract socket (unix(7)). What is not valid UTF-8, or has a backslash, is
// written as a C string. Sockets without a name would all be "unnamed"; the listener lets none of
// them through.
std::string SessionId(const net::Endpoint& peer);

// The address itself, as the kernel has it; part of `peer`.
absl::string_view PeerBytes(const net::Endpoint& peer);
// Takes what IsPeerAddress() (chat_rows.h) says yes to.
net::Endpoint PeerFromBytes(absl::string_view bytes);

// Empty while unset; else the IPv4 or IPv6 address and, with 4 bytes, big-endian, the interface.
std::string LocalBytes(const net::LocalAddress& local);
// Unset for what is nothing of that kind.
net::LocalAddress LocalFromBytes(absl::string_view bytes);

}  // namespace rawgate::chat
