// Folders of commands in sandboxes: each has one of its own, the only one where it may write, which
// goes away with it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/thread_pool.hpp>

#include "runtime/base/fd.h"
#include "services/exec/exec_identity.h"

namespace rawgate::exec {

// One thread, and one of its own for what takes time.
class OwnFolders {
 public:
  // They will be below `parent`. What other services left there that were killed is removed, later.
  explicit OwnFolders(std::string parent);
  // No command is left. What cannot be removed within a second is left to the next service that is
  // started with the same parent.
  ~OwnFolders();
  OwnFolders(const OwnFolders&) = delete;
  OwnFolders& operator=(const OwnFolders&) = delete;

  // Makes one that belongs to `identity`; its path. Empty with errno set on failure.
  std::string Make(const Identity& identity);
  // With all in it, later.
  void Remove(std::string folder);

 private:
  // The value is an errno.
  int Open();
  std::string MakeOne(const Identity& identity);
  void RemoveNow(const std::string& folder) const;
  void RemoveLeftBehind() const;
  bool GiveUp() const;

  const std::string parent_;
  // Made when it is first needed, and again when somebody removes it. As long as we hold its lock
  // no other service takes it for left behind.
  std::string folder_;
  Fd lock_;
  uint64_t last_ = 0;
  // Steady clock, in its own ticks.
  std::atomic<std::chrono::steady_clock::rep> end_;
  boost::asio::thread_pool remover_{1};
};

}  // namespace rawgate::exec
