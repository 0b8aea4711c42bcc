#include "services/chat/chat_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/chat/chat_text.h"

namespace rawgate::chat {
namespace {

constexpr size_t kInterfaceBytes = sizeof(uint32_t);

bool IsAbstract(const net::Endpoint& peer) {
  return reinterpret_cast<const sockaddr_un*>(peer.data())->sun_path[0] == '\0';
}

std::string UnixId(const net::Endpoint& peer) {
  std::string path = peer.path();
  if (path.empty()) return "unnamed";
  // "@x", "unnamed" and "127.0.0.1:1" are paths, too, when a socket was bound to a relative one.
  if (!IsAbstract(peer) && path[0] != '/') path.insert(0, "./");
  // A backslash that stood for itself could make it what another one looks like escaped.
  if (!IsValidUtf8(path) || absl::StrContains(path, '\\')) return absl::CHexEscape(path);
  return path;
}

}  // namespace

std::string SessionId(const net::Endpoint& peer) {
  if (peer.family() == AF_UNIX) return UnixId(peer);
  std::string id = peer.HostPort();
  if (peer.family() == AF_INET6) {
    const uint32_t scope = reinterpret_cast<const sockaddr_in6*>(peer.data())->sin6_scope_id;
    if (scope != 0) id.insert(id.find(']'), absl::StrCat("%", scope));
  }
  return id;
}

absl::string_view PeerBytes(const net::Endpoint& peer) {
  return {reinterpret_cast<const char*>(peer.data()), peer.size()};
}

net::Endpoint PeerFromBytes(absl::string_view bytes) {
  sockaddr_storage address{};
  bytes.copy(reinterpret_cast<char*>(&address), sizeof(address));
  const net::Transport transport =
      address.ss_family == AF_UNIX ? net::Transport::kUnixDatagram : net::Transport::kUdp;
  return {transport, reinterpret_cast<const sockaddr*>(&address),
          static_cast<socklen_t>(bytes.size())};
}

std::string LocalBytes(const net::LocalAddress& local) {
  if (local.family == AF_UNSPEC) return {};
  const size_t size = local.family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  const uint32_t interface = htonl(local.interface);
  std::string bytes(size + kInterfaceBytes, '\0');
  std::memcpy(bytes.data(), &local.ip, size);
  std::memcpy(bytes.data() + size, &interface, kInterfaceBytes);
  return bytes;
}

net::LocalAddress LocalFromBytes(absl::string_view bytes) {
  net::LocalAddress local;
  if (bytes.size() == sizeof(in_addr) + kInterfaceBytes) {
    local.family = AF_INET;
  } else if (bytes.size() == sizeof(in6_addr) + kInterfaceBytes) {
    local.family = AF_INET6;
  } else {
    return local;
  }
  const size_t size = bytes.size() - kInterfaceBytes;
  uint32_t interface = 0;
  std::memcpy(&local.ip, bytes.data(), size);
  std::memcpy(&interface, bytes.data() + size, kInterfaceBytes);
  local.interface = ntohl(interface);
  return local;
}

}  // namespace rawgate::chat
