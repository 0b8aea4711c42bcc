#include "cli/lab/deaf_pair.h"

#include <linux/filter.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::cli::lab {
namespace {

// What the other process sends: 0 and both descriptors, or an errno and none.
struct Made {
  int error = 0;
  int client = -1;
  int service = -1;
};

// All of it is system calls: it runs in a copy of a process that had several threads.
Made MakeInNamespace() {
  Made made;
  const auto failed = [&made] {
    made.error = errno;
    return made;
  };
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return failed();
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  ifreq loopback{};
  std::memcpy(loopback.ifr_name, "lo", sizeof("lo"));
  loopback.ifr_flags = IFF_UP;
  if (::ioctl(listener, SIOCSIFFLAGS, &loopback) != 0) return failed();
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* bound = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, bound, size) != 0 || ::listen(listener, 1) != 0) return failed();
  if (::getsockname(listener, bound, &size) != 0) return failed();
  made.client = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(made.client, bound, size) != 0) return failed();
  made.service = ::accept(listener, nullptr, nullptr);
  sock_filter take_nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &take_nothing};
  if (::setsockopt(made.service, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    return failed();
  }
  return made;
}

// A message with room for two descriptors (cmsg(3)).
struct Letter {
  explicit Letter(int& error) : text{&error, sizeof(error)} {
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    header.msg_control = space;
    header.msg_controllen = sizeof(space);
  }

  iovec text;
  alignas(cmsghdr) char space[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr header{};
};

void Post(int channel, Made made) {
  Letter letter(made.error);
  if (made.error == 0) {
    cmsghdr* control = CMSG_FIRSTHDR(&letter.header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(2 * sizeof(int));
    const int descriptors[2] = {made.client, made.service};
    std::memcpy(CMSG_DATA(control), descriptors, sizeof(descriptors));
  } else {
    letter.header.msg_control = nullptr;
    letter.header.msg_controllen = 0;
  }
  ::sendmsg(channel, &letter.header, MSG_NOSIGNAL);
}

Made Receive(int channel) {
  Made made;
  Letter letter(made.error);
  const ssize_t count = ::recvmsg(channel, &letter.header, MSG_CMSG_CLOEXEC);
  if (count != sizeof(made.error)) made.error = count < 0 ? errno : EPROTO;
  const cmsghdr* control = CMSG_FIRSTHDR(&letter.header);
  if (made.error == 0 && control != nullptr && control->cmsg_type == SCM_RIGHTS) {
    int descriptors[2] = {-1, -1};
    std::memcpy(descriptors, CMSG_DATA(control), sizeof(descriptors));
    made.client = descriptors[0];
    made.service = descriptors[1];
  }
  return made;
}

absl::StatusOr<Pair> PairOfNamespace() {
  int channel[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0) {
    return ErrnoError(errno, "socketpair");
  }
  const Fd near(channel[0]);
  Fd far(channel[1]);
  const pid_t maker = ::fork();
  if (maker < 0) return ErrnoError(errno, "fork");
  if (maker == 0) {
    Post(far.get(), MakeInNamespace());
    ::_exit(0);
  }
  far.Reset();
  const Made made = Receive(near.get());
  while (::waitpid(maker, nullptr, 0) < 0 && errno == EINTR) {
  }
  Pair pair{Fd(made.client), Fd(made.service), {}};
  if (made.error != 0 || !pair.service) {
    return Error(absl::StatusCode::kPermissionDenied, "DEAF_NOT_PERMITTED",
                 absl::StrCat("here root alone may have packets of a TCP socket dropped, and user "
                              "namespaces are off (",
                              std::strerror(made.error), ")"));
  }
  pair.address = Address::LocalOf(pair.service.get(), "tcp");
  return pair;
}

}  // namespace

absl::StatusOr<Pair> DeafPair() {
  auto pair = ConnectedPair();
  if (!pair.ok()) return pair.status();
  const absl::Status deaf = GoDeaf(pair->service.get());
  if (deaf.ok()) return pair;
  return absl::IsPermissionDenied(deaf) ? PairOfNamespace() : deaf;
}

}  // namespace rawgate::cli::lab
