// Commands without a server: a loop that starts one by posix_spawn(3), reads what it writes, and
// waits for it, in a number of processes at once.
//
//   bare_spawn PROCESSES SECONDS
//
// Prints one JSON line: commands per second of all together; median and 99th percentile, in
// microseconds, of the first.
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <atomic>
#include <new>
#include <vector>

#include "bench/latencies.h"
#include "bench/sockets.h"

using namespace rawgate::bench;  // NOLINT: a program of one file

namespace {

// `echo hi`, as the service runs it.
void RunCommand(int null) {
  int output[2];
  int error_output[2];
  Check(pipe2(output, O_CLOEXEC), "pipe2");
  Check(pipe2(error_output, O_CLOEXEC), "pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, null, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error_output[1], STDERR_FILENO);
  char shell[] = "/bin/sh";
  char option[] = "-c";
  char text[] = "echo hi";
  char* arguments[] = {shell, option, text, nullptr};
  pid_t pid = 0;
  errno = posix_spawn(&pid, shell, &actions, nullptr, arguments, environ);
  Check(-errno, "posix_spawn");
  posix_spawn_file_actions_destroy(&actions);
  close(output[1]);
  close(error_output[1]);
  char buffer[4096];
  for (const int end : {output[0], error_output[0]}) {
    while (Check(read(end, buffer, sizeof(buffer)), "read") > 0) {
    }
    close(end);
  }
  Check(waitpid(pid, nullptr, 0), "waitpid");
}

uint64_t RunFor(Clock::duration length, Latencies* latencies) {
  const int null = Check(open("/dev/null", O_RDWR | O_CLOEXEC), "open");
  const Clock::time_point end = Clock::now() + length;
  uint64_t count = 0;
  for (Clock::time_point start; (start = Clock::now()) < end; ++count) {
    RunCommand(null);
    latencies->Add(Clock::now() - start);
  }
  close(null);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bare_spawn PROCESSES SECONDS\n");
    return 2;
  }
  const std::chrono::duration<double> seconds(std::strtod(argv[2], nullptr));
  const auto length = std::chrono::duration_cast<Clock::duration>(seconds);
  void* const shared = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const total = new (shared) std::atomic<uint64_t>(0);
  Latencies latencies;
  std::vector<pid_t> others(ParseNumber(argv[1]) - 1);
  for (pid_t& other : others) {
    other = Check(fork(), "fork");
    if (other != 0) continue;
    *total += RunFor(length, &latencies);
    _exit(0);
  }
  *total += RunFor(length, &latencies);
  for (const pid_t other : others) waitpid(other, nullptr, 0);
  std::printf("{\"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
              static_cast<double>(*total) / seconds.count(), latencies.Quantile(0.5),
              latencies.Quantile(0.99));
  return 0;
}
