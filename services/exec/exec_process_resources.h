// What all commands of a process share: the loop they are watched on, threads for what may wait,
// the launchers.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "services/exec/exec_launcher_pool.h"
#include "services/exec/exec_orphans.h"
#include "services/exec/exec_own_folder.h"
#include "services/exec/exec_process_host.h"
#include "services/exec/exec_process_tree.h"

namespace rawgate::exec {

// Loop thread.
class ProcessResources {
 public:
  // See ProcessHost.
  ProcessResources(boost::asio::io_context& event_loop, ProcessHostOptions given);
  ~ProcessResources();

  const ProcessHostOptions options;
  boost::asio::io_context& loop;
  // Moves large outputs to files and reads /proc.
  boost::asio::thread_pool disk;
  // Emptied when no launcher runs any more.
  OwnFolders own_folders;
  LauncherPool launchers;
  Orphans orphans;
};

}  // namespace rawgate::exec
