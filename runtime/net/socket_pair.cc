#include "runtime/net/socket_pair.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace rawgate::net {

int SocketPair::Prepare() {
  if (outside_) return 0;
  std::array<int, 2> pair;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return errno;
  }
  outside_.Reset(pair[0]);
  inside_.Reset(pair[1]);
  return 0;
}

}  // namespace rawgate::net
