// What all commands of a process share: the loop they are watched on, threads for what may wait,
// the launcher, the table of their trees.
#pragma once

#include <chrono>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include "services/exec/exec_launch.h"
#include "services/exec/exec_process_host.h"
#include "services/exec/exec_process_tree.h"

namespace rawgate::exec {

using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                boost::asio::wait_traits<std::chrono::steady_clock>,
                                                boost::asio::io_context::executor_type>;

// Loop thread.
class ProcessResources {
 public:
  // See ProcessHost.
  ProcessResources(boost::asio::io_context& event_loop, ProcessHostOptions given);
  ~ProcessResources();

  // Enters a command that was started, and sees to it that what becomes orphaned below it is
  // reaped.
  void Add(TreeRoot root);

  const ProcessHostOptions options;
  boost::asio::io_context& loop;
  // Moves large outputs to files and reads /proc.
  boost::asio::thread_pool disk;
  const Launcher launcher;
  ProcessTrees trees;

 private:
  void ScheduleReap();

  Timer reap_timer_;
  bool reaping_ = false;
};

}  // namespace rawgate::exec
