// The processes below a launcher: found in /proc, and signalled.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rawgate::exec {

// One line of /proc.
struct ProcessRow {
  pid_t pid = 0;
  pid_t parent = 0;
  // Since boot, in ticks of sysconf(_SC_CLK_TCK). With the pid it names a process for good.
  uint64_t start = 0;
};

// Parses the text of /proc/<pid>/stat; false when it is none.
bool ParseProcessStat(absl::string_view text, ProcessRow* row);
bool ReadProcess(pid_t pid, ProcessRow* row);
// All processes. Takes about 10 us for each process of the machine: not for the loop thread.
std::vector<ProcessRow> ReadProcesses();

// Everything in `rows` that descends from `ancestor`, which is not itself among them.
std::vector<ProcessRow> FindDescendants(const std::vector<ProcessRow>& rows, pid_t ancestor);

// The first child that is left of the first child, and so on, `depth` times; 0 when there is none.
pid_t FirstDescendant(const std::vector<ProcessRow>& rows, pid_t ancestor, int depth);

// What a signal has been sent to.
using Signalled = std::set<std::pair<pid_t, uint64_t>>;

// Sends `signals`, one after another, to every descendant of `ancestor` in `rows` that is not in
// `signalled`. `rows` may be as old as they like: a process is only signalled when it is still the
// same one.
void SignalDescendants(const std::vector<ProcessRow>& rows, pid_t ancestor,
                       absl::Span<const int> signals, Signalled* signalled);
// The same for one process.
void SignalProcess(const ProcessRow& row, absl::Span<const int> signals);

}  // namespace rawgate::exec
