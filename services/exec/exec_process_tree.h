// The processes of a command: found, signalled, and known to be gone.
//
// A command leads a session of its own, and this process is the reaper of orphans
// (PR_SET_CHILD_SUBREAPER): whoever in a command's tree loses its parent becomes our child. So a
// command whose first process has ended has left nothing behind exactly when no child of ours
// descends from it; that is one read of /proc/self/task/<pid>/children. Only when there are such
// children is /proc searched.
//
// Whose an adopted child is tells its session, else the job id in its environment. A process that
// changed both belongs to one of the commands that ran when it started; it is ended with the last
// of these.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "runtime/base/fd.h"

namespace rawgate::exec {

// Set in every command's environment to its job id.
inline constexpr char kJobVariable[] = "RAWGATE_JOB_ID";

// One line of /proc.
struct ProcessRow {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t group = 0;
  pid_t session = 0;
  char state = 0;
  // Since boot, in ticks of sysconf(_SC_CLK_TCK). With the pid it names a process for good.
  uint64_t start = 0;

  // A process of several threads seems to have ended when only its first one has.
  bool ended() const { return state == 'Z' || state == 'X'; }
};

// The first process of a command, from its start until it is reaped.
struct TreeRoot {
  pid_t pid = 0;
  std::string job_id;
};

// Parses the text of /proc/<pid>/stat; false when it is none.
bool ParseProcessStat(absl::string_view text, ProcessRow* row);
bool ReadProcess(pid_t pid, ProcessRow* row);
// All processes. Takes about 10 us for each process of the machine: not for the loop thread.
std::vector<ProcessRow> ReadProcesses();

// What the search needs to ask about single processes; a table in tests.
struct ProcessFacts {
  // The job id in the process's environment; empty when there is none or it may not be read.
  std::function<std::string(pid_t)> job_id_of;
  // When a process started, UINT64_MAX when it is gone.
  std::function<uint64_t(pid_t)> start_of;
};
ProcessFacts SystemProcessFacts();

// Whether `child`, a child of ours (`service`) that is no root, is taken to belong to `root`;
// `others` are all other roots.
bool IsAdoptedFrom(const ProcessRow& child, const ProcessRow& service, const TreeRoot& root,
                   absl::Span<const TreeRoot> others, const ProcessFacts& facts);

// Everything in `rows` that belongs to `root`, itself included, whether alive or not.
std::vector<ProcessRow> FindTree(const std::vector<ProcessRow>& rows, const ProcessRow& service,
                                 const TreeRoot& root, absl::Span<const TreeRoot> others,
                                 const ProcessFacts& facts);

// The trees of this process's commands. One thread.
class ProcessTrees {
 public:
  // Makes this process the reaper of orphans.
  ProcessTrees();

  void Add(TreeRoot root) { roots_.push_back(std::move(root)); }
  // `root` has been reaped; or it cannot be ended now, and is reaped by ReapOrphans() when it does.
  void Remove(pid_t root, bool reaped);
  bool empty() const { return roots_.empty() && lost_.empty(); }

  // Whether anything descended from `root` is alive, but for `root` itself, which has ended and is
  // not reaped yet. Reaps orphans that have ended.
  bool HasSurvivors(pid_t root);

  // Reaps adopted children that have ended. For the time between calls of HasSurvivors().
  void ReapOrphans();

  // What one round of signals has been sent to.
  using Signalled = std::set<std::pair<pid_t, uint64_t>>;

  // Sends `signal`, and SIGCONT after it, to every living process of `root`'s tree in `rows` that
  // is not in `signalled`. `rows` may be as old as they like: a process is only signalled when it
  // is still the same one.
  void Signal(pid_t root, const std::vector<ProcessRow>& rows, int signal, Signalled* signalled);

 private:
  // Living children of ours that are no roots.
  std::vector<pid_t> AdoptedChildren();
  std::vector<pid_t> Children();
  const TreeRoot* Find(pid_t root) const;
  std::vector<TreeRoot> Others(pid_t root) const;

  // /proc/self/task/<pid>/children: orphans are given to the first thread. Without it (a kernel
  // built so) /proc is searched.
  Fd children_;
  ProcessRow self_;
  std::vector<TreeRoot> roots_;
  std::vector<pid_t> lost_;
};

}  // namespace rawgate::exec
