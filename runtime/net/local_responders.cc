#include "runtime/net/local_responders.h"

#include <sys/un.h>

#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace rawgate::net {
namespace {

Fd UnixSocket() { return Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

struct AbstractName {
  explicit AbstractName(absl::string_view uri) {
    const std::string name = absl::StrCat("rawgate/responder/", uri);
    address.sun_family = AF_UNIX;
    // The first byte of the path stays NUL.
    name.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&address); }

  sockaddr_un address{};
  socklen_t size = 0;
};

// One can bind only to addresses of one's own.
bool IsOfThisMachine(Endpoint source) {
  const Fd socket(::socket(source.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  source.set_port(0);
  return socket && ::bind(socket.get(), source.data(), source.size()) == 0;
}

}  // namespace

Fd AnnounceResponder(const Endpoint& bound) {
  Fd socket = UnixSocket();
  const AbstractName name(bound.ToUri());
  if (!socket || ::bind(socket.get(), name.data(), name.size) != 0) return Fd();
  return socket;
}

LocalResponders::LocalResponders() : probe_(UnixSocket()) {}

bool LocalResponders::Contains(const Endpoint& source) const {
  if (IsAnnounced(source.ToUri())) return true;
  const absl::string_view any = source.family() == AF_INET ? "udp://0.0.0.0:" : "udp://[::]:";
  // A remote peer may well have the port of a listener here.
  return IsAnnounced(absl::StrCat(any, source.port())) && IsOfThisMachine(source);
}

bool LocalResponders::IsAnnounced(absl::string_view uri) const {
  const AbstractName name(uri);
  return ::connect(probe_.get(), name.data(), name.size) == 0;
}

}  // namespace rawgate::net
