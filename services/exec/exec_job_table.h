// The jobs of this process: those that wait and run, and the last of those that have ended, with
// what is kept of their output.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "services/exec/exec_job.h"

namespace rawgate::exec {

struct HistoryOptions {
  // Ended jobs that are listed.
  size_t jobs_max = 1000;
  // Their output that nobody is reading, all together: in memory, and in files. What nobody has
  // read for the longest is let go first.
  uint64_t memory_max = 32 << 20;
  uint64_t file_max = uint64_t{1} << 30;
  // Jobs with output in files, each of which is an open descriptor.
  size_t files_max = 128;
};

// Loop thread. Owned by the core; the jobs that were handed out know it as long as it is there.
class JobTable : public std::enable_shared_from_this<JobTable> {
 public:
  explicit JobTable(HistoryOptions options) : options_(options) {}

  // As long as somebody has what this returns, the job's output is not let go.
  std::shared_ptr<Job> Add(std::shared_ptr<Job> job);
  // Null when there is none. The first is only to look at.
  const Job* Peek(absl::string_view id) const;
  std::shared_ptr<Job> Find(absl::string_view id);
  std::shared_ptr<Job> FindRequest(absl::string_view request_id);
  // The newest first, from those before number `before`; at most `max`.
  std::vector<std::shared_ptr<Job>> List(uint64_t before, size_t max, bool running_only);
  // The job has ended. May forget others.
  void OnEnded(const Job& job);
  // All that have not ended. The caller keeps them alive.
  std::vector<std::shared_ptr<Job>> Unended() const;

 private:
  struct Entry {
    std::shared_ptr<Job> job;
    size_t holders = 0;
    bool ended = false;
    // While in idle_.
    bool idle = false;
    std::list<Entry*>::iterator place = {};
    uint64_t memory = 0;
    uint64_t file = 0;
  };

  std::shared_ptr<Job> Hold(Entry& entry);
  void OnReleased(uint64_t number);
  // What an entry that ended and that nobody holds adds to the totals.
  void EnterIdle(Entry& entry);
  void LeaveIdle(Entry& entry);
  void Discount(Entry& entry);
  void LetOutputGo();

  const HistoryOptions options_;
  // By number.
  std::map<uint64_t, Entry> entries_;
  absl::flat_hash_map<std::string, uint64_t> numbers_;
  absl::flat_hash_map<std::string, uint64_t> requests_;
  // In the order in which they ended.
  std::list<uint64_t> ended_;
  // Ended, and held by nobody; who became so first is first.
  std::list<Entry*> idle_;
  uint64_t memory_ = 0;
  uint64_t file_ = 0;
  size_t files_ = 0;
};

}  // namespace rawgate::exec
