#include "services/exec/exec_process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <memory>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace rawgate::exec {
namespace {

// Looked at of /proc/<pid>/environ: more than a command's environment may be at its start.
constexpr size_t kEnvironmentLooked = 256 * 1024;

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

std::string ReadJobId(pid_t pid) {
  std::string buffer(kEnvironmentLooked, '\0');
  const std::string prefix = absl::StrCat(kJobVariable, "=");
  for (absl::string_view entry :
       absl::StrSplit(ReadSmallFile(absl::StrCat("/proc/", pid, "/environ"), &buffer), '\0')) {
    if (absl::StartsWith(entry, prefix)) return std::string(entry.substr(prefix.size()));
  }
  return {};
}

void SendSignal(const ProcessRow& row, int signal) {
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, row.pid, 0)));
  // The descriptor now names one process for good; make sure that it is the one that was looked at.
  ProcessRow now;
  if (!pidfd || !ReadProcess(row.pid, &now) || now.start != row.start) return;
  syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
  // One that is stopped would look at a signal that it handles only when somebody lets it go on.
  if (signal != SIGKILL) syscall(SYS_pidfd_send_signal, pidfd.get(), SIGCONT, nullptr, 0);
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
  row->state = fields[0][0];
  return absl::SimpleAtoi(text.substr(0, text.find(' ')), &row->pid) &&
         absl::SimpleAtoi(fields[1], &row->parent) && absl::SimpleAtoi(fields[2], &row->group) &&
         absl::SimpleAtoi(fields[3], &row->session) &&
         absl::SimpleAtoi(fields[kStart], &row->start);
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

ProcessFacts SystemProcessFacts() {
  return {.job_id_of = ReadJobId, .start_of = [](pid_t pid) {
            ProcessRow row;
            return ReadProcess(pid, &row) ? row.start : std::numeric_limits<uint64_t>::max();
          }};
}

bool IsAdoptedFrom(const ProcessRow& child, const ProcessRow& service, const TreeRoot& root,
                   absl::Span<const TreeRoot> others, const ProcessFacts& facts) {
  // No command can get into our session: this is a child that something else here started.
  if (child.session == service.session) return false;
  if (child.session == root.pid) return true;
  const auto any_other = [&](auto&& matches) {
    return std::any_of(others.begin(), others.end(), matches);
  };
  if (any_other([&](const TreeRoot& other) { return child.session == other.pid; })) return false;
  if (const std::string job_id = facts.job_id_of(child.pid); !job_id.empty()) {
    return !any_other([&](const TreeRoot& other) { return job_id == other.job_id; });
  }
  if (facts.start_of(root.pid) > child.start) return false;
  return !any_other(
      [&](const TreeRoot& other) { return facts.start_of(other.pid) <= child.start; });
}

std::vector<ProcessRow> FindTree(const std::vector<ProcessRow>& rows, const ProcessRow& service,
                                 const TreeRoot& root, absl::Span<const TreeRoot> others,
                                 const ProcessFacts& facts) {
  const auto is_other_root = [&](pid_t pid) {
    return std::any_of(others.begin(), others.end(),
                       [&](const TreeRoot& other) { return other.pid == pid; });
  };
  absl::flat_hash_set<pid_t> members;
  for (const ProcessRow& row : rows) {
    const bool adopted = row.parent == service.pid && !is_other_root(row.pid) &&
                         IsAdoptedFrom(row, service, root, others, facts);
    if (row.pid == root.pid || row.session == root.pid || row.group == root.pid || adopted) {
      members.insert(row.pid);
    }
  }
  // Children may have lower numbers than their parents, so until nothing is added.
  for (size_t before = 0; before != members.size();) {
    before = members.size();
    for (const ProcessRow& row : rows) {
      if (members.contains(row.parent)) members.insert(row.pid);
    }
  }
  std::vector<ProcessRow> tree;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(tree),
               [&](const ProcessRow& row) { return members.contains(row.pid); });
  return tree;
}

ProcessTrees::ProcessTrees()
    : children_(open(absl::StrCat("/proc/self/task/", getpid(), "/children").c_str(),
                     O_RDONLY | O_CLOEXEC)) {
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  self_.pid = getpid();
  self_.session = getsid(0);
}

void ProcessTrees::Remove(pid_t root, bool reaped) {
  std::erase_if(roots_, [root](const TreeRoot& one) { return one.pid == root; });
  if (!reaped) lost_.push_back(root);
}

void ProcessTrees::ReapOrphans() {
  std::erase_if(lost_, [](pid_t pid) { return waitpid(pid, nullptr, WNOHANG) != 0; });
  AdoptedChildren();
}

const TreeRoot* ProcessTrees::Find(pid_t root) const {
  const auto found = std::find_if(roots_.begin(), roots_.end(),
                                  [root](const TreeRoot& one) { return one.pid == root; });
  return found == roots_.end() ? nullptr : &*found;
}

std::vector<TreeRoot> ProcessTrees::Others(pid_t root) const {
  std::vector<TreeRoot> others = roots_;
  std::erase_if(others, [root](const TreeRoot& one) { return one.pid == root; });
  return others;
}

std::vector<pid_t> ProcessTrees::Children() {
  std::vector<pid_t> children;
  if (!children_) {
    for (const ProcessRow& row : ReadProcesses()) {
      if (row.parent == self_.pid) children.push_back(row.pid);
    }
    return children;
  }
  // Numbers, each followed by a space; one may lie across two reads.
  std::array<char, 4096> buffer;
  pid_t pid = 0;
  off_t offset = 0;
  for (ssize_t n; (n = pread(children_.get(), buffer.data(), buffer.size(), offset)) > 0;
       offset += n) {
    for (const char c : absl::string_view(buffer.data(), static_cast<size_t>(n))) {
      if (c >= '0' && c <= '9') {
        pid = pid * 10 + (c - '0');
      } else if (pid != 0) {
        children.push_back(std::exchange(pid, 0));
      }
    }
  }
  return children;
}

std::vector<pid_t> ProcessTrees::AdoptedChildren() {
  // One that ends after the list was read leaves its children to us, and they are not on it: what
  // was reaped is a reason to read it again. Who keeps ending and being replaced stays on the list.
  constexpr int kReadsMax = 16;
  for (int reads = 1;; ++reads) {
    std::vector<pid_t> children = Children();
    bool reaped = false;
    std::erase_if(children, [&](pid_t pid) {
      if (Find(pid) != nullptr) return true;
      // Somebody else's child in our session is not ours to reap.
      if (getsid(pid) == self_.session || reads == kReadsMax) return false;
      const pid_t ended = waitpid(pid, nullptr, WNOHANG);
      reaped = reaped || ended > 0;
      return ended != 0;
    });
    if (!reaped) return children;
  }
}

bool ProcessTrees::HasSurvivors(pid_t root) {
  const std::vector<pid_t> adopted = AdoptedChildren();
  const TreeRoot* const found = Find(root);
  if (adopted.empty() || found == nullptr) return false;
  const std::vector<TreeRoot> others = Others(root);
  const ProcessFacts facts = SystemProcessFacts();
  return std::any_of(adopted.begin(), adopted.end(), [&](pid_t pid) {
    ProcessRow row;
    if (!ReadProcess(pid, &row)) return false;
    // One that has ended since it was found alive counts too: its children may have come to us.
    return IsAdoptedFrom(row, self_, *found, others, facts);
  });
}

void ProcessTrees::Signal(pid_t root, const std::vector<ProcessRow>& rows, int signal,
                          Signalled* signalled) {
  const TreeRoot* const found = Find(root);
  if (found == nullptr) return;
  // All of a group at once, so that none of it forks away in between. It cannot be anybody else's:
  // its leader is not reaped.
  if (signal == SIGKILL) kill(-root, SIGKILL);
  for (const ProcessRow& row : FindTree(rows, self_, *found, Others(root), SystemProcessFacts())) {
    // Also what has ended: of several threads that may be the first alone.
    if (signalled->emplace(row.pid, row.start).second) SendSignal(row, signal);
  }
}

}  // namespace rawgate::exec
