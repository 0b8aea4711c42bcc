#include "services/exec/exec_peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

// An address as sock_diag and /proc/net/tcp have it: four words in network order, of which IPv4
// uses the first.
struct RawAddress {
  int family = AF_INET;
  std::array<uint32_t, 4> words{};
  uint16_t port = 0;  // network order
};

RawAddress ToRaw(const net::Endpoint& endpoint) {
  RawAddress raw;
  raw.port = htons(endpoint.port());
  if (endpoint.family() == AF_INET) {
    std::memcpy(raw.words.data(), &reinterpret_cast<const sockaddr_in*>(endpoint.data())->sin_addr,
                sizeof(in_addr));
    return raw;
  }
  const in6_addr& address = reinterpret_cast<const sockaddr_in6*>(endpoint.data())->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    std::memcpy(raw.words.data(), &address.s6_addr[12], sizeof(in_addr));
    return raw;
  }
  raw.family = AF_INET6;
  std::memcpy(raw.words.data(), &address, sizeof(address));
  return raw;
}

absl::Status OwnerUnknown() {
  return Error(absl::StatusCode::kNotFound, "OWNER_UNKNOWN",
               "the peer's socket has no owner any more");
}

// A socket that its program has closed belongs to nobody; older kernels then report root.
bool IsOwned(uint32_t inode, uid_t uid) { return inode != 0 || uid != 0; }

// "0100007F:1F90": words as this machine's integers, the port as a number.
std::string ProcAddress(const RawAddress& raw) {
  std::string text;
  const size_t words = raw.family == AF_INET ? 1 : 4;
  for (size_t i = 0; i < words; ++i) absl::StrAppendFormat(&text, "%08X", raw.words[i]);
  absl::StrAppendFormat(&text, ":%04X", ntohs(raw.port));
  return text;
}

std::string ReadWhole(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

bool AbslParseFlag(absl::string_view text, LocalUsers* users, std::string* error) {
  if (text == "same") {
    *users = LocalUsers::kSame;
  } else if (text == "any") {
    *users = LocalUsers::kAny;
  } else {
    *error = "is same or any";
    return false;
  }
  return true;
}

std::string AbslUnparseFlag(LocalUsers users) {
  return users == LocalUsers::kSame ? "same" : "any";
}

SocketOwners::SocketOwners()
    : netlink_(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}

int SocketOwners::AskKernel(const net::Endpoint& peer, const net::Endpoint& local, uid_t* owner) {
  if (!netlink_) return EOPNOTSUPP;
  const RawAddress source = ToRaw(peer);
  const RawAddress destination = ToRaw(local);
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request{};
  request.header.nlmsg_len = sizeof(request);
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.header.nlmsg_seq = ++sequence_;
  request.body.sdiag_family = static_cast<uint8_t>(source.family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = ~0u;
  request.body.id.idiag_sport = source.port;
  request.body.id.idiag_dport = destination.port;
  std::copy(source.words.begin(), source.words.end(), request.body.id.idiag_src);
  std::copy(destination.words.begin(), destination.words.end(), request.body.id.idiag_dst);
  request.body.id.idiag_cookie[0] = request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  // The kernel answers before send(2) returns.
  if (send(netlink_.get(), &request, sizeof(request), 0) < 0) return errno;

  alignas(nlmsghdr) std::array<char, 4096> answer;
  const auto* header = reinterpret_cast<const nlmsghdr*>(answer.data());
  ssize_t size = 0;
  do {
    size = recv(netlink_.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return EPROTO;
    // An answer that an earlier question did not wait for must not be taken for this one's.
  } while (header->nlmsg_seq != sequence_);
  const auto payload = static_cast<size_t>(size) - NLMSG_HDRLEN;
  if (header->nlmsg_type == NLMSG_ERROR && payload >= sizeof(nlmsgerr)) {
    return -reinterpret_cast<const nlmsgerr*>(NLMSG_DATA(header))->error;
  }
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || payload < sizeof(inet_diag_msg)) return EPROTO;
  const auto* found = reinterpret_cast<const inet_diag_msg*>(NLMSG_DATA(header));
  works_ = true;
  if (!IsOwned(found->idiag_inode, found->idiag_uid)) return ENOENT;
  *owner = found->idiag_uid;
  return 0;
}

absl::StatusOr<uid_t> SocketOwners::OwnerOf(const net::Endpoint& peer, const net::Endpoint& local) {
  uid_t owner = 0;
  const int error = AskKernel(peer, local, &owner);
  if (error == 0) return owner;
  // A kernel without the tcp_diag module says "no such socket" of all of them.
  if (error == ENOENT && works_) return OwnerUnknown();
  absl::StatusOr<uid_t> found = OwnerIn(ReadWhole("/proc/net/tcp"), peer, local);
  if (!found.ok()) found = OwnerIn(ReadWhole("/proc/net/tcp6"), peer, local);
  return found;
}

absl::StatusOr<uid_t> SocketOwners::OwnerIn(absl::string_view table, const net::Endpoint& peer,
                                            const net::Endpoint& local) {
  const std::string source = ProcAddress(ToRaw(peer));
  const std::string destination = ProcAddress(ToRaw(local));
  for (absl::string_view line : absl::StrSplit(table, '\n')) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (fields.size() < 10) continue;
    uid_t uid = 0;
    uint32_t inode = 0;
    if (fields[1] != source || fields[2] != destination) continue;
    if (!absl::SimpleAtoi(fields[7], &uid) || !absl::SimpleAtoi(fields[9], &inode)) continue;
    if (IsOwned(inode, uid)) return uid;
  }
  return OwnerUnknown();
}

absl::Status CheckOwner(uid_t owner, uid_t self) {
  if (owner == self || owner == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kPermissionDenied, "FOREIGN_USER",
               absl::StrCat("uid ", owner, " is not the service's user; see --allow_local_users"));
}

absl::Status PeerPolicy::Check(int fd, const net::Endpoint& peer, const net::Endpoint& local) {
  if (users_ == LocalUsers::kAny) return absl::OkStatus();
  if (peer.transport() == net::Transport::kUnix) {
    ucred credentials{};
    socklen_t length = sizeof(credentials);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
      return ErrnoError(errno, "SO_PEERCRED");
    return CheckOwner(credentials.uid, geteuid());
  }
  if (peer.family() != AF_INET && peer.family() != AF_INET6) {
    // It has reset the connection before it was accepted, and the kernel does not tell its address
    // any more; what it sent can still be read.
    return Error(absl::StatusCode::kPermissionDenied, "OWNER_UNKNOWN",
                 "the peer was gone before it was asked for");
  }
  if (!peer.IsLoopback()) return absl::OkStatus();
  const absl::StatusOr<uid_t> owner = owners_.OwnerOf(peer, local);
  if (!owner.ok())
    return Error(absl::StatusCode::kPermissionDenied, "OWNER_UNKNOWN", owner.status().message());
  return CheckOwner(*owner, geteuid());
}

}  // namespace rawgate::exec
