#include "services/exec/exec_launcher_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;

// Above all numbers that the launcher's own descriptors get, so that none is overwritten before its
// turn.
constexpr int kDescriptorsFrom = kLauncherCgroup + 1;

Fd MoveUp(Fd fd) { return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, kDescriptorsFrom)); }

// Both ends of a socket and memory that the launcher and this process share; and the folder of a
// cgroup, if there is one.
struct Shared {
  Fd socket;
  Fd launcher_socket;
  Fd memory;
  Fd cgroup;
  LaunchBlock* block = nullptr;

  // False with errno set.
  bool Make(const Cgroup& cgroup_to_open) {
    if (Fd folder = cgroup_to_open.Open()) cgroup = MoveUp(std::move(folder));
    std::array<int, 2> ends;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0) return false;
    socket.Reset(ends[0]);
    launcher_socket = MoveUp(Fd(ends[1]));
    memory = MoveUp(Fd(memfd_create("rawgate-launch", MFD_CLOEXEC)));
    if (!launcher_socket || !memory || ftruncate(memory.get(), sizeof(LaunchBlock)) < 0 ||
        fcntl(socket.get(), F_SETFL, O_NONBLOCK) < 0)
      return false;
    void* const mapped =
        mmap(nullptr, sizeof(LaunchBlock), PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
    if (mapped == MAP_FAILED) return false;
    block = static_cast<LaunchBlock*>(mapped);
    return true;
  }
};

// A session of its own: no terminal's signals reach it. The value is an errno.
int Spawn(const std::string& path, const Shared& shared, int null, pid_t* pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    posix_spawn_file_actions_adddup2(&actions, null, descriptor);
  posix_spawn_file_actions_adddup2(&actions, shared.launcher_socket.get(), kLauncherSocket);
  posix_spawn_file_actions_adddup2(&actions, shared.memory.get(), kLauncherMemory);
  posix_spawn_file_actions_adddup2(&actions, shared.cgroup ? shared.cgroup.get() : null,
                                   kLauncherCgroup);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string name = "rawgate-exec-launcher";
  std::array<char*, 2> arguments = {name.data(), nullptr};
  std::array<char*, 1> environment = {nullptr};
  const int error =
      posix_spawn(pid, path.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

std::shared_ptr<LauncherProcess> LauncherProcess::Start(asio::io_context& loop,
                                                        const std::string& path,
                                                        const Cgroup& cgroup, int null,
                                                        int* error) {
  Shared shared;
  if (!shared.Make(cgroup)) {
    *error = errno;
    return nullptr;
  }
  const std::shared_ptr<LauncherProcess> launcher(
      new LauncherProcess(loop, std::move(shared.socket), shared.block, null));
  if (!launcher->socket_.is_open()) {
    *error = ENOMEM;  // epoll takes no more: either memory or the user's limit of watches
    return nullptr;
  }
  *error = Spawn(path, shared, null, &launcher->pid_);
  if (*error != 0) return nullptr;
  launcher->Wait();
  return launcher;
}

LauncherProcess::LauncherProcess(asio::io_context& loop, Fd socket, LaunchBlock* block, int null)
    : socket_(loop.get_executor()), block_(block), null_(null) {
  boost::system::error_code error;
  socket_.assign(socket.get(), error);
  if (!error) static_cast<void>(socket.Release());
}

LauncherProcess::~LauncherProcess() { munmap(block_, sizeof(LaunchBlock)); }

void LauncherProcess::Wait() {
  socket_.async_wait(asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       if (!error && self->socket_.is_open()) self->OnReadable();
                     });
}

void LauncherProcess::OnReadable() {
  LauncherReport report;
  const ssize_t received = recv(socket_.native_handle(), &report, sizeof(report), 0);
  if (received == sizeof(report)) {
    Wait();
    if (client_ != nullptr) client_->OnLauncherReport(report);
  } else if (received < 0 && (errno == EAGAIN || errno == EINTR)) {
    Wait();
  } else {
    lost_ = true;
    if (client_ != nullptr) std::exchange(client_, nullptr)->OnLauncherLost();
  }
}

bool LauncherProcess::lost() {
  // The loop may not have got to it yet.
  LauncherReport report;
  return lost_ || recv(socket_.native_handle(), &report, sizeof(report), MSG_PEEK) == 0;
}

int LauncherProcess::Send(LauncherOrder order, const CommandStreams* streams) {
  iovec bytes = {&order, sizeof(order)};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  std::array<int, kLaunchDescriptorsMax> descriptors;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(descriptors))> control{};
  if (streams != nullptr) {
    const int output = streams->output.get();
    if (streams->terminal) {
      descriptors = {output, output, output, streams->fourth.get()};
    } else {
      descriptors = {streams->input ? streams->input.get() : null_, output,
                     streams->error_output.get(), streams->fourth.get()};
    }
    const size_t size = sizeof(int) * (streams->fourth ? 4 : 3);
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(head), descriptors.data(), size);
  }
  return sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int LauncherProcess::Run(const CommandStreams& streams, Client& client) {
  const int error = Send(LauncherOrder::kRun, &streams);
  if (error == 0) client_ = &client;
  return error;
}

void LauncherProcess::Kill() { Send(LauncherOrder::kKill, nullptr); }

void LauncherProcess::Close() {
  client_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace rawgate::exec
