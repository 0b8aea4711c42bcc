#include "runtime/net/peer_name.h"

#include <sys/socket.h>

#include "absl/strings/str_cat.h"

namespace rawgate::net {

std::string PeerNameOf(Transport transport, int fd) {
  if (transport != Transport::kUnix) return Endpoint::PeerOf(transport, fd).ToUri();
  ucred credentials{};
  socklen_t length = sizeof(credentials);
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return "unix:";
  return absl::StrCat("unix:pid=", credentials.pid, ",uid=", credentials.uid);
}

}  // namespace rawgate::net
