#include "services/exec/exec_process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {
namespace {

// At most buffer's size of a file below /proc.
absl::string_view ReadSmallFile(const std::string& path, std::string* buffer) {
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  size_t filled = 0;
  while (file && filled < buffer->size()) {
    const ssize_t n = ::read(file.get(), buffer->data() + filled, buffer->size() - filled);
    if (n <= 0) break;
    filled += static_cast<size_t>(n);
  }
  return absl::string_view(buffer->data(), filled);
}

}  // namespace

bool ParseProcessStat(absl::string_view text, ProcessRow* row) {
  // "pid (name) state parent group session ... start": the name may hold spaces and parentheses, so
  // fields are counted from the last one.
  const size_t name_end = text.rfind(')');
  if (name_end == absl::string_view::npos) return false;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(text.substr(name_end + 1), absl::ByAnyChar(" \n"), absl::SkipEmpty());
  constexpr size_t kStart = 19;
  if (fields.size() <= kStart) return false;
  return absl::SimpleAtoi(text.substr(0, text.find(' ')), &row->pid) &&
         absl::SimpleAtoi(fields[1], &row->parent) && absl::SimpleAtoi(fields[kStart], &row->start);
}

bool ReadProcess(pid_t pid, ProcessRow* row) {
  std::string buffer(1024, '\0');
  return ParseProcessStat(ReadSmallFile(absl::StrCat("/proc/", pid, "/stat"), &buffer), row);
}

std::vector<ProcessRow> ReadProcesses() {
  std::vector<ProcessRow> rows;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(opendir("/proc"), closedir);
  if (proc == nullptr) return rows;
  while (const dirent* entry = readdir(proc.get())) {
    pid_t pid = 0;
    ProcessRow row;
    if (absl::SimpleAtoi(entry->d_name, &pid) && ReadProcess(pid, &row)) rows.push_back(row);
  }
  return rows;
}

std::vector<ProcessRow> FindDescendants(const std::vector<ProcessRow>& rows, pid_t ancestor) {
  absl::flat_hash_set<pid_t> members = {ancestor};
  // Children may have lower numbers than their parents, so until nothing is added.
  for (size_t before = 0; before != members.size();) {
    before = members.size();
    for (const ProcessRow& row : rows) {
      if (members.contains(row.parent)) members.insert(row.pid);
    }
  }
  std::vector<ProcessRow> descendants;
  std::copy_if(
      rows.begin(), rows.end(), std::back_inserter(descendants),
      [&](const ProcessRow& row) { return row.pid != ancestor && members.contains(row.pid); });
  return descendants;
}

void SignalProcess(const ProcessRow& row, absl::Span<const int> signals) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, row.pid, 0)));
  // The descriptor now names one process for good; make sure that it is the one that was looked at.
  ProcessRow now;
  if (!pidfd || !ReadProcess(row.pid, &now) || now.start != row.start) return;
  for (const int signal : signals) syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

pid_t FirstDescendant(const std::vector<ProcessRow>& rows, pid_t ancestor, int depth) {
  for (; depth > 0 && ancestor != 0; --depth) {
    const ProcessRow* first = nullptr;
    for (const ProcessRow& row : rows) {
      const bool earlier =
          first == nullptr || std::pair(row.start, row.pid) < std::pair(first->start, first->pid);
      if (row.parent == ancestor && earlier) first = &row;
    }
    ancestor = first == nullptr ? 0 : first->pid;
  }
  return ancestor;
}

void SignalDescendants(const std::vector<ProcessRow>& rows, pid_t ancestor,
                       absl::Span<const int> signals, Signalled* signalled) {
  for (const ProcessRow& row : FindDescendants(rows, ancestor)) {
    if (signalled->emplace(row.pid, row.start).second) SignalProcess(row, signals);
  }
}

}  // namespace rawgate::exec
