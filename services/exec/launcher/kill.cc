#include "services/exec/launcher/kill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "services/exec/launcher/system_call.h"

namespace rawgate::exec {
namespace {

// Those found. A process that is stopped cannot start another, nor does it reap its children, so
// that their numbers stay theirs: going down from the launcher's own children, which only the
// launcher reaps, each number that is met is sure to mean a descendant. Once all are stopped they
// are killed. Killing from the top alone, level by level, loses the race against a fork bomb.
constexpr long kFoundMax = 16 * 1024;
int32_t found[kFoundMax];
long found_count;

// As in linux/dirent.h, which C++ cannot include.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

// "/proc/NUMBER/task/NUMBER/children", or as much of it as is asked for.
class Path {
 public:
  Path& Add(const char* text) {
    while (*text != '\0') Put(*text++);
    return *this;
  }
  Path& Add(long number) {
    char digits[20];
    int count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count > 0) Put(digits[--count]);
    return *this;
  }
  // A descriptor, or -errno.
  int Open(int flags) const {
    return static_cast<int>(SystemCall(SYS_openat, AT_FDCWD, Address(text_), flags | O_CLOEXEC));
  }

 private:
  void Put(char c) {
    text_[size_++] = c;
    text_[size_] = '\0';
  }
  char text_[96] = {};
  int size_ = 0;
};

long ParseNumber(const char* text) {
  long number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) number = number * 10 + (*text - '0');
  return number;
}

// Calls visit(pid) for every child in a "children" file.
template <typename Visit>
void ForEachIn(int file, Visit visit) {
  // Numbers, each followed by a space; one may lie across two reads.
  static char buffer[64 * 1024];
  long pid = 0;
  for (long n; (n = SystemCall(SYS_read, file, Address(buffer), sizeof(buffer))) > 0;) {
    for (long i = 0; i < n; ++i) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        pid = pid * 10 + (buffer[i] - '0');
      } else if (pid != 0) {
        visit(pid);
        pid = 0;
      }
    }
  }
}

// 0 when it is gone.
long ParentOf(long pid) {
  char text[512];
  const int file = Path().Add("/proc/").Add(pid).Add("/stat").Open(O_RDONLY);
  if (file < 0) return 0;
  const long size = SystemCall(SYS_read, file, Address(text), sizeof(text) - 1);
  SystemCall(SYS_close, file);
  if (size <= 0) return 0;
  text[size] = '\0';
  // "PID (NAME) S PARENT ...": the name may hold anything.
  long end = size;
  while (end > 0 && text[end - 1] != ')') --end;
  return end + 3 < size ? ParseNumber(text + end + 3) : 0;
}

// Stops `pid`, a child of `parent`, which is stopped or this process, and notes it.
void Stop(long pid, long parent) {
  if (found_count == kFoundMax) return;
  // The descriptor names one process for good. Were its parent one of those that leave the reaping
  // of their children to the kernel, the number could be somebody else's by now.
  const long pidfd = SystemCall(SYS_pidfd_open, pid, 0);
  if (pidfd < 0) return;
  if (ParentOf(pid) == parent) {
    SystemCall(SYS_pidfd_send_signal, pidfd, SIGSTOP, 0, 0);
    found[found_count++] = static_cast<int32_t>(pid);
  }
  SystemCall(SYS_close, pidfd);
}

// The children of one thread.
void StopChildrenOf(long pid, long thread) {
  const int file =
      Path().Add("/proc/").Add(pid).Add("/task/").Add(thread).Add("/children").Open(O_RDONLY);
  if (file < 0) return;
  ForEachIn(file, [pid](long child) { Stop(child, pid); });
  SystemCall(SYS_close, file);
}

void StopChildrenOf(long pid) {
  const int folder = Path().Add("/proc/").Add(pid).Add("/task").Open(O_RDONLY | O_DIRECTORY);
  if (folder < 0) return;
  alignas(DirectoryEntry) char entries[4096];
  for (long n; (n = SystemCall(SYS_getdents64, folder, Address(entries), sizeof(entries))) > 0;) {
    for (long at = 0; at < n;) {
      const auto* const entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      if (const long thread = ParseNumber(entry->name); thread != 0) StopChildrenOf(pid, thread);
      at += entry->length;
    }
  }
  SystemCall(SYS_close, folder);
}

}  // namespace

void KillDescendants() {
  found_count = 0;
  StopChildrenOf(SystemCall(SYS_getpid));
  for (long next = 0; next < found_count; ++next) StopChildrenOf(found[next]);
  // Whose parent is killed becomes a child of this process, which reaps nobody meanwhile.
  for (long i = 0; i < found_count; ++i) SystemCall(SYS_kill, found[i], SIGKILL);
}

}  // namespace rawgate::exec
