#include "services/exec/exec_process_host.h"

#include <csignal>
#include <utility>

#include <boost/asio/post.hpp>

#include "services/exec/exec_process_resources.h"

namespace rawgate::exec {
namespace {

namespace asio = boost::asio;

constexpr size_t kDiskThreads = 2;
// How often orphans that ended while their command goes on are reaped.
constexpr std::chrono::seconds kReapInterval{1};

// Ends of children are told by pidfds. SIGCHLD must not be ignored (the kernel would reap them
// behind our back), and where it is delivered it only interrupts system calls.
void QuietenChildSignal() {
  std::signal(SIGCHLD, SIG_DFL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &child, nullptr);
}

}  // namespace

ProcessResources::ProcessResources(asio::io_context& event_loop, ProcessHostOptions given)
    : options(std::move(given)),
      loop(event_loop),
      disk((QuietenChildSignal(), kDiskThreads)),
      launcher(options.launcher_path, options.identity),
      reap_timer_(event_loop.get_executor()) {}

ProcessResources::~ProcessResources() {
  disk.stop();
  disk.join();
}

void ProcessResources::Add(TreeRoot root) {
  trees.Add(std::move(root));
  if (!std::exchange(reaping_, true)) ScheduleReap();
}

void ProcessResources::ScheduleReap() {
  reap_timer_.expires_after(kReapInterval);
  reap_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    reaping_ = !trees.empty();
    if (!reaping_) return;
    trees.ReapOrphans();
    ScheduleReap();
  });
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
               asio::post(loop, std::move(done));
             });
}

void ProcessHost::Post(std::function<void()> task) {
  asio::post(resources_->loop, std::move(task));
}

const Identity& ProcessHost::identity() const { return resources_->launcher.identity(); }

}  // namespace rawgate::exec
