// One running rawgate-exec-launcher; exec_launcher.h says what it does.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "runtime/base/fd.h"
#include "services/exec/exec_cgroup.h"
#include "services/exec/exec_launch.h"
#include "services/exec/exec_launcher.h"

namespace rawgate::exec {

// Loop thread. Owned by the pool while idle, by its command's process otherwise, and by what is
// pending in the loop.
class LauncherProcess : public std::enable_shared_from_this<LauncherProcess> {
 public:
  // Loop thread, never from within a call into the LauncherProcess.
  class Client {
   public:
    virtual ~Client() = default;
    virtual void OnLauncherReport(const LauncherReport& report) = 0;
    // It was killed. The last call.
    virtual void OnLauncherLost() = 0;
  };

  // Starts the program `path`: posix_spawn(3), which stays cheap however large this process is, and
  // blocks until the launcher runs. Its commands may begin in `cgroup`, which outlives it, if that
  // is one. `null` is /dev/null and outlives this object. A null pointer with `error` set to an
  // errno when that fails.
  static std::shared_ptr<LauncherProcess> Start(boost::asio::io_context& loop,
                                                const std::string& path, const Cgroup& cgroup,
                                                int null, int* error);
  ~LauncherProcess();
  LauncherProcess(const LauncherProcess&) = delete;
  LauncherProcess& operator=(const LauncherProcess&) = delete;

  // A child of this process until the owner reaps it.
  pid_t pid() const { return pid_; }
  bool lost();
  // For WriteLaunch(), while no command runs.
  LaunchBlock* block() { return block_; }

  // Starts the command in the block; `client` is told, and outlives the command or is forgotten.
  // The value is an errno.
  int Run(const CommandStreams& streams, Client& client);
  // Ends all that is left of the command by SIGKILL.
  void Kill();
  void ForgetClient() { client_ = nullptr; }
  // The launcher kills what it has and ends. The client is told nothing more.
  void Close();

 private:
  LauncherProcess(boost::asio::io_context& loop, Fd socket, LaunchBlock* block, int null);
  void Wait();
  void OnReadable();
  int Send(LauncherOrder order, const CommandStreams* streams);

  boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> socket_;
  LaunchBlock* const block_;
  const int null_;
  pid_t pid_ = -1;
  Client* client_ = nullptr;
  bool lost_ = false;
};

}  // namespace rawgate::exec
