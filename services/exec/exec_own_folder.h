// Folders of commands in sandboxes: each has one of its own, the only one where it may write, which
// goes away with it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "runtime/base/fd.h"
#include "services/exec/exec_identity.h"

namespace rawgate::exec {

// One thread, but for Remove().
class OwnFolders {
 public:
  // They will be below `parent`. What other services left there that were killed is removed.
  explicit OwnFolders(std::string parent);
  // No command is left.
  ~OwnFolders();
  OwnFolders(const OwnFolders&) = delete;
  OwnFolders& operator=(const OwnFolders&) = delete;

  // Makes one that belongs to `identity`; its path. Empty with errno set on failure.
  std::string Make(const Identity& identity);
  // With all in it, which may take its time. Any thread.
  static void Remove(const std::string& folder);

 private:
  // The value is an errno.
  int Open();

  const std::string parent_;
  // Made when it is first needed. As long as we hold its lock nobody else takes it for left behind.
  std::string folder_;
  Fd lock_;
  uint64_t last_ = 0;
};

}  // namespace rawgate::exec
