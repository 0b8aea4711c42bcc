// What the tests of this folder share: a loop with a core on it, driven by the test itself.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/observe/event_log.h"
#include "services/exec/exec_core.h"
#include "services/exec/exec_process_tree.h"

namespace rawgate::exec {

// Longer than anything here takes, unless it is broken.
inline constexpr std::chrono::seconds kPatience{60};

// A folder that any user may use, removed with everything in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string path =
        (std::filesystem::path(::testing::TempDir()) / "rawgate-exec-XXXXXX").string();
    path_ = mkdtemp(path.data());
    std::filesystem::permissions(path_, std::filesystem::perms::all);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Keeps what a job tells.
class RecordingObserver final : public JobObserver {
 public:
  void OnJobStarted(Job&) override { ++started; }
  void OnJobOutput(Job&, OutputStream) override { ++outputs; }
  void OnJobEnded(Job&) override { ++ended; }

  int started = 0;
  int outputs = 0;
  int ended = 0;
};

inline PolicyRule AnybodyMay(Sandbox sandbox = Sandbox::kNone) {
  return {.name = "anybody",
          .sources = {.any = true},
          .identity = *ResolveIdentity("nobody"),
          .sandbox = sandbox};
}

inline Policy AnythingForAnybody() { return Policy({AnybodyMay()}); }

// A core as the service has it, with shorter waits.
struct CoreOnLoop {
  explicit CoreOnLoop(ExecOptions options = {}, ProcessHostOptions host_options = {})
      : host(loop, Complete(std::move(host_options), scratch)),
        core(host, Complete(std::move(options), scratch), AnythingForAnybody(), events) {}

  static ProcessHostOptions Complete(ProcessHostOptions options, const ScratchFolder& scratch) {
    options.launcher_path = RAWGATE_EXEC_LAUNCHER;
    options.spool_folder = scratch.path();
    return options;
  }
  static ExecOptions Complete(ExecOptions options, const ScratchFolder& scratch) {
    options.work_folder = scratch.path();
    return options;
  }

  // Runs the loop until `condition` holds.
  void RunUntil(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited in vain";
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(50));
    }
  }

  std::shared_ptr<Job> Start(CommandSpec spec) {
    auto job = core.Start(std::move(spec));
    EXPECT_TRUE(job.ok()) << job.status();
    if (!job.ok()) return nullptr;
    if ((*job)->state() != Job::State::kEnded) (*job)->AddObserver(observer);
    return *job;
  }
  std::shared_ptr<Job> Start(const std::string& shell_command) {
    CommandSpec spec;
    spec.shell_command = shell_command;
    return Start(std::move(spec));
  }
  void Await(const std::shared_ptr<Job>& job) {
    RunUntil([&] { return job->state() == Job::State::kEnded; });
  }
  template <typename Command>
  std::shared_ptr<Job> Run(Command command) {
    std::shared_ptr<Job> job = Start(std::move(command));
    if (job != nullptr) Await(job);
    return job;
  }

  ScratchFolder scratch;
  boost::asio::io_context loop{1};
  observe::EventLog events;
  ProcessHost host;
  ExecCore core;
  RecordingObserver observer;
};

inline std::string Text(const Job& job, OutputStream stream = OutputStream::kStdout) {
  return *job.output(stream).Read(0, 64 << 20);
}

inline size_t OpenDescriptors() {
  return static_cast<size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

// As in /proc; empty for what has ended.
inline std::string CommandLine(pid_t pid) {
  const Fd file(open(absl::StrCat("/proc/", pid, "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 256> line;
  const ssize_t n = file ? read(file.get(), line.data(), line.size()) : 0;
  return std::string(line.data(), static_cast<size_t>(std::max<ssize_t>(n, 0)));
}

// The `sleep LENGTH` processes that are alive. A length that no other test uses makes a mark.
inline std::vector<pid_t> SleepersFor(const std::string& length) {
  const std::string arguments =
      absl::StrCat("sleep", std::string(1, '\0'), length, std::string(1, '\0'));
  std::vector<pid_t> found;
  for (const ProcessRow& row : ReadProcesses()) {
    if (absl::EndsWith(CommandLine(row.pid), arguments)) found.push_back(row.pid);
  }
  return found;
}

inline std::string UniqueLength() {
  static int next = 0;
  return absl::StrCat("9", getpid(), "0", ++next);
}

// No descendant of this process is left, not even one that has ended, but for launchers.
inline bool OnlyLaunchersAreLeft() {
  const std::vector<ProcessRow> descendants = FindDescendants(ReadProcesses(), getpid());
  return std::all_of(descendants.begin(), descendants.end(), [](const ProcessRow& row) {
    return CommandLine(row.pid) == absl::string_view("rawgate-exec-launcher\0", 22);
  });
}

}  // namespace rawgate::exec
