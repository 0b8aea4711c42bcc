#include "services/exec/launcher/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/time_types.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <bit>

#include "services/exec/exec_launcher.h"
#include "services/exec/launcher/command.h"
#include "services/exec/launcher/kill.h"
#include "services/exec/launcher/system_call.h"

namespace rawgate::exec {
namespace {

constexpr long kSignalSetBytes = 8;
// Between two looks for who is left to kill, at first and at most. Those killed need the time, and
// the processor, to end.
constexpr long kKillPauseNs = 1'000'000;
constexpr long kKillPauseMaxNs = 64'000'000;
// How long it waits with the news that a command was started: a short one's start is told with its
// end, which spares the service most of its work for it.
constexpr long kStartedPauseNs = 2'000'000;
// Ahead of a command's thousands of processes when they are to be killed, where that is allowed.
constexpr int kNice = -10;

alignas(16) char command_stack[64 * 1024];
char* argument_pointers[kLaunchArgumentsMax + 1];
char* environment_pointers[kLaunchEnvironmentMax + 1];

[[noreturn]] void Exit() {
  for (;;) SystemCall(SYS_exit_group, 0);
}

class Launcher {
 public:
  Launcher();
  [[noreturn]] void Run();

 private:
  // False when nothing happened in time.
  bool Wait();
  void TakeOrder();
  void Start(const int (&descriptors)[kLaunchDescriptorsMax]);
  // One round.
  void Kill();
  // Takes what has ended.
  void Reap();
  void Report();

  LaunchBlock* block_;
  int child_signals_;
  // Negative where there is no cgroup.
  int cgroup_kill_;
  bool in_cgroup_ = false;
  // What it had before it put itself ahead.
  int nice_;
  // The command's first process, until it is reaped.
  long command_ = 0;
  // It, or something that it started.
  bool running_ = false;
  bool killing_ = false;
  long kill_pause_ns_ = kKillPauseNs;
  // The service is gone.
  bool abandoned_ = false;
  LauncherReport report_{};
};

Launcher::Launcher() {
  // The service's own descriptors close at exec; this is for what somebody else let it inherit.
  SystemCall(SYS_close_range, kLauncherCgroup + 1, UINT32_MAX, 0);
  // Commands inherit what is ignored, and that the service does of SIGPIPE.
  const unsigned long by_default[4] = {};
  for (long signal = 1; signal <= 64; ++signal) {
    SystemCall(SYS_rt_sigaction, signal, Address(by_default), 0, kSignalSetBytes);
  }
  const unsigned long all = ~0UL;
  SystemCall(SYS_rt_sigprocmask, SIG_SETMASK, Address(&all), 0, kSignalSetBytes);
  SystemCall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  // The system call's own way to avoid negative results.
  nice_ = static_cast<int>(20 - SystemCall(SYS_getpriority, PRIO_PROCESS, 0));
  SystemCall(SYS_setpriority, PRIO_PROCESS, 0, kNice);
  // Where commands run as the same user they can kill this process, but not look into it.
  SystemCall(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
  const long mapped = SystemCall(SYS_mmap, 0, sizeof(LaunchBlock), PROT_READ | PROT_WRITE,
                                 MAP_SHARED, kLauncherMemory, 0);
  block_ = std::bit_cast<LaunchBlock*>(mapped);
  // Neither is for a command, which would get the block of the next one.
  SystemCall(SYS_close, kLauncherMemory);
  SystemCall(SYS_fcntl, kLauncherSocket, F_SETFD, FD_CLOEXEC);
  SystemCall(SYS_fcntl, kLauncherCgroup, F_SETFD, FD_CLOEXEC);
  cgroup_kill_ = static_cast<int>(
      SystemCall(SYS_openat, kLauncherCgroup, Address("cgroup.kill"), O_WRONLY | O_CLOEXEC));
  const unsigned long child = 1UL << (SIGCHLD - 1);
  child_signals_ = static_cast<int>(
      SystemCall(SYS_signalfd4, -1, Address(&child), kSignalSetBytes, SFD_CLOEXEC | SFD_NONBLOCK));
  if (mapped < 0 || child_signals_ < 0) Exit();
}

void Launcher::Run() {
  for (;;) {
    const bool quiet = !Wait();
    if (running_) Reap();
    if (running_ && killing_) Kill();
    if (report_.events != 0 && (report_.events != LauncherReport::kStarted || quiet)) Report();
    if (abandoned_ && !running_) Exit();
  }
}

bool Launcher::Wait() {
  const bool untold = report_.events != 0;
  pollfd waited[] = {{.fd = abandoned_ ? -1 : kLauncherSocket, .events = POLLIN, .revents = 0},
                     {.fd = killing_ ? -1 : child_signals_, .events = POLLIN, .revents = 0}};
  __kernel_timespec pause = {.tv_sec = 0, .tv_nsec = killing_ ? kill_pause_ns_ : kStartedPauseNs};
  if (killing_ && kill_pause_ns_ < kKillPauseMaxNs) kill_pause_ns_ *= 2;
  const long ready =
      SystemCall(SYS_ppoll, Address(waited), 2, untold || killing_ ? Address(&pause) : 0, 0, 0);
  if (ready <= 0) return false;
  if (waited[1].revents != 0) {
    signalfd_siginfo seen;
    SystemCall(SYS_read, child_signals_, Address(&seen), sizeof(seen));
  }
  if (waited[0].revents != 0) TakeOrder();
  return true;
}

void Launcher::TakeOrder() {
  LauncherOrder order{};
  iovec bytes = {.iov_base = &order, .iov_len = sizeof(order)};
  alignas(cmsghdr) char control[CMSG_SPACE(kLaunchDescriptorsMax * sizeof(int))];
  msghdr message = {.msg_name = nullptr,
                    .msg_namelen = 0,
                    .msg_iov = &bytes,
                    .msg_iovlen = 1,
                    .msg_control = control,
                    .msg_controllen = sizeof(control),
                    .msg_flags = 0};
  const long received =
      SystemCall(SYS_recvmsg, kLauncherSocket, Address(&message), MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (received == -EAGAIN || received == -EINTR) return;
  if (received <= 0) {
    abandoned_ = killing_ = true;
  } else if (order == LauncherOrder::kKill) {
    killing_ = running_;
    kill_pause_ns_ = kKillPauseNs;
  } else if (order == LauncherOrder::kRun && !running_) {
    int descriptors[kLaunchDescriptorsMax] = {-1, -1, -1, -1};
    const unsigned size = sizeof(int) * (block_->fourth == LaunchFourth::kNone ? 3 : 4);
    const cmsghdr* const head = CMSG_FIRSTHDR(&message);
    if (head == nullptr || head->cmsg_len != CMSG_LEN(size)) return Exit();
    const char* const data = reinterpret_cast<const char*>(CMSG_DATA(head));
    for (unsigned i = 0; i < size; ++i) reinterpret_cast<char*>(descriptors)[i] = data[i];
    Start(descriptors);
  }
}

void Launcher::Start(const int (&descriptors)[kLaunchDescriptorsMax]) {
  CommandStart start = {
      .descriptors = {descriptors[0], descriptors[1], descriptors[2], descriptors[3]},
      .nice = nice_,
      .block = block_,
      .arguments = argument_pointers,
      .environment = environment_pointers,
      .failure = {LaunchStage::kSpawn, 0}};
  const CloneStart clone = {BecomeCommand, &start, command_stack, sizeof(command_stack)};
  long pid = -ENOSYS;
  // A command that runs as root could change its cgroup, freeze it for one, and the next command
  // would be in there.
  if (block_->change_user != 0 && block_->user != 0) pid = CloneSharing(clone, kLauncherCgroup);
  in_cgroup_ = pid > 0;
  // There is none, or somebody has removed it: its end is found without one, only more slowly.
  if (pid < 0) pid = CloneSharing(clone, kSameCgroup);
  // What is -1 is not there to be closed, and that is no harm.
  for (const int descriptor : descriptors) SystemCall(SYS_close, descriptor);
  killing_ = false;
  if (pid < 0) start.failure.errno_value = static_cast<int32_t>(-pid);
  if (start.failure.errno_value != 0) {
    if (pid > 0) SystemCall(SYS_wait4, pid, 0, 0, 0);
    report_.events |= LauncherReport::kFailed;
    report_.failure = start.failure;
    return;
  }
  running_ = true;
  command_ = pid;
  report_.events |= LauncherReport::kStarted;
  report_.pid = static_cast<int32_t>(pid);
}

void Launcher::Kill() {
  // At once, and however fast they fork. Who has left the cgroup, with somebody's help, is found
  // below this process, when the others have had time to end.
  const bool killed = in_cgroup_ && SystemCall(SYS_write, cgroup_kill_, Address("1"), 1) == 1;
  if (!killed || kill_pause_ns_ == kKillPauseMaxNs) KillDescendants();
}

void Launcher::Reap() {
  for (;;) {
    int status = 0;
    rusage usage;
    const long pid = SystemCall(SYS_wait4, -1, Address(&status), WNOHANG, Address(&usage));
    if (pid == 0) return;
    if (pid == command_) {
      command_ = 0;
      report_.events |= LauncherReport::kExited;
      report_.wait_status = status;
      report_.usage = usage;
    }
    if (pid < 0) break;
  }
  // No child is left, and so no descendant: one that loses its parent becomes a child of this.
  running_ = killing_ = false;
  report_.events |= LauncherReport::kEmpty;
}

void Launcher::Report() {
  SystemCall(SYS_sendto, kLauncherSocket, Address(&report_), sizeof(report_), MSG_NOSIGNAL, 0);
  report_.events = 0;
}

}  // namespace

void RunLauncher() {
  Launcher launcher;
  launcher.Run();
}

}  // namespace rawgate::exec
