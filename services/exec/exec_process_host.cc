#include "services/exec/exec_process_host.h"

#include <unistd.h>

#include <csignal>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>

#include "runtime/base/log.h"
#include "services/exec/exec_process_resources.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;

constexpr size_t kDiskThreads = 2;

// Launchers tell what becomes of commands. SIGCHLD must not be ignored (the kernel would reap them
// behind our back), and where it is delivered it only interrupts system calls.
void QuietenChildSignal() {
  std::signal(SIGCHLD, SIG_DFL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, nullptr);
}

std::optional<Cgroups> FindCgroups(bool wanted) {
  constexpr char kWithout[] =
      "whatever a command starts is ended with it: found below its launcher";
  // Who is not root cannot run commands as anybody else.
  if (!wanted || geteuid() != 0) {
    spdlog::info(kWithout);
    return std::nullopt;
  }
  absl::StatusOr<Cgroups> found = Cgroups::Find();
  if (!found.ok()) {
    spdlog::info("{}, as cgroups are not to be had ({})", kWithout,
                 std::string(found.status().message()));
    return std::nullopt;
  }
  spdlog::info(
      "whatever a command starts is ended with it: killed with its cgroup, or found below its "
      "launcher where it runs as root");
  return *std::move(found);
}

}  // namespace

ProcessResources::ProcessResources(asio::io_context& event_loop, ProcessHostOptions given)
    : options(std::move(given)),
      loop(event_loop),
      disk((QuietenChildSignal(), kDiskThreads)),
      own_folders(options.spool_folder),
      launchers(event_loop, options.launcher_path, FindCgroups(options.cgroups)) {}

ProcessResources::~ProcessResources() {
  disk.stop();
  disk.join();
}

ProcessHost::ProcessHost(asio::io_context& loop, ProcessHostOptions options)
    : resources_(std::make_unique<ProcessResources>(loop, std::move(options))) {}
ProcessHost::~ProcessHost() = default;

std::unique_ptr<Process> ProcessHost::Start(const ProcessSpec& spec, ProcessObserver& observer) {
  return Process::Start(*resources_, spec, observer);
}

void ProcessHost::RunOnDisk(std::function<void()> work, std::function<void()> done) {
  asio::post(resources_->disk,
             [&loop = resources_->loop, work = std::move(work), done = std::move(done)]() mutable {
               work();
               // What it holds may only be let go on the loop thread.
               asio::post(loop, [work = std::move(work), done = std::move(done)] { done(); });
             });
}

void ProcessHost::Post(std::function<void()> task) {
  asio::post(resources_->loop, std::move(task));
}

void ProcessHost::PostAfter(absl::Duration delay, std::function<void()> task) {
  const auto timer = std::make_shared<Timer>(resources_->loop.get_executor());
  asio::post(resources_->loop, [timer, delay, task = std::move(task)]() mutable {
    timer->expires_after(absl::ToChronoMilliseconds(delay));
    timer->async_wait([timer, task = std::move(task)](const boost::system::error_code& error) {
      if (!error) task();
    });
  });
}

}  // namespace rawgate::exec
