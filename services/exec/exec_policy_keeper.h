// The policy in force: read at the start, and again on SIGHUP.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "absl/status/statusor.h"
#include "services/exec/exec_core.h"
#include "services/exec/exec_policy_file.h"
#include "services/exec/exec_process_host.h"

namespace rawgate::exec {

// Loop thread, but for what comes before the loop runs.
class PolicyKeeper {
 public:
  // `path` is the policy's file; empty: Policy::LocalOnly(). The others outlive this object.
  PolicyKeeper(boost::asio::io_context& loop, ProcessHost& host, std::string path,
               PolicyDefaults defaults);
  ~PolicyKeeper();

  // Reads it, and makes sure that this system gives what it asks for. Before the loop runs: runs it
  // itself. Errors: of ReadPolicy() and TrySandboxes().
  absl::StatusOr<Policy> Load();

  // From now on SIGHUP has the file read again. One that is not good, or asks for what the system
  // does not give, is logged, and what was in force stays so. Without a file SIGHUP keeps its
  // meaning.
  void ReloadOnHangup(ExecCore& core);

 private:
  class Reloader;
  absl::StatusOr<Policy> Read() const;

  boost::asio::io_context& loop_;
  ProcessHost& host_;
  const std::string path_;
  const PolicyDefaults defaults_;
  std::shared_ptr<Reloader> reloader_;
};

}  // namespace rawgate::exec
