#include "cli/lab/own_peer.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "runtime/base/status.h"

namespace rawgate::cli::lab {

absl::StatusOr<Fd> BindLoopback(int type, int backlog) {
  Fd fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (!fd) return ErrnoError(errno, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoError(errno, "bind 127.0.0.1");
  }
  if (type == SOCK_STREAM && ::listen(fd.get(), backlog) != 0) return ErrnoError(errno, "listen");
  return fd;
}

absl::StatusOr<Pair> ConnectedPair() {
  const auto listener = BindLoopback(SOCK_STREAM);
  if (!listener.ok()) return listener.status();
  Pair pair;
  pair.address = Address::LocalOf(listener->get(), "tcp");
  pair.client = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!pair.client) return ErrnoError(errno, "socket");
  if (::connect(pair.client.get(), pair.address.get(), pair.address.size()) != 0) {
    return ErrnoError(errno, "connect 127.0.0.1");
  }
  pair.service = Fd(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!pair.service) return ErrnoError(errno, "accept");
  return pair;
}

absl::Status GoDeaf(int fd) {
  sock_filter take_nothing = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &take_nothing};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    return ErrnoError(errno, "SO_ATTACH_FILTER");
  }
  return absl::OkStatus();
}

absl::StatusOr<HoldingProcess> HoldingProcess::Start(Fd socket) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, socket.get(), 3);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &none);
  // Ends by itself, should this process be killed before it.
  char name[] = "sleep";
  char seconds[] = "30";
  char* const words[] = {name, seconds, nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawnp(&pid, name, &files, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) return ErrnoError(error, "start 'sleep'");
  return HoldingProcess(pid);
}

void HoldingProcess::Kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

}  // namespace rawgate::cli::lab
