// A command without a server: a loop that starts it by posix_spawn(3), reads what it writes, and
// waits for it, in a number of processes at once. It must not fail.
//
//   bare_spawn PROCESSES SECONDS COMMAND [ARGUMENT...]
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

void AwaitSuccess(pid_t pid, const char* what) {
  int status = 0;
  Check(waitpid(pid, &status, 0), "waitpid");
  if (status == 0) return;
  std::fprintf(stderr, "bare_spawn: %s ended with status %#x\n", what, status);
  std::exit(1);
}

// With the descriptors that the service gives to one.
void RunCommand(char** command, int null) {
  int output[2];
  int error_output[2];
  Check(pipe2(output, O_CLOEXEC), "pipe2");
  Check(pipe2(error_output, O_CLOEXEC), "pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, null, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error_output[1], STDERR_FILENO);
  pid_t pid = 0;
  errno = posix_spawnp(&pid, command[0], &actions, nullptr, command, environ);
  Check(-errno, "posix_spawnp");
  posix_spawn_file_actions_destroy(&actions);
  close(output[1]);
  close(error_output[1]);
  char buffer[4096];
  for (const int end : {output[0], error_output[0]}) {
    while (Check(read(end, buffer, sizeof(buffer)), "read") > 0) {
    }
    close(end);
  }
  AwaitSuccess(pid, command[0]);
}

uint64_t RunFor(Clock::duration length, char** command, Latencies* latencies) {
  const int null = Check(open("/dev/null", O_RDWR | O_CLOEXEC), "open");
  const Clock::time_point end = Clock::now() + length;
  uint64_t count = 0;
  for (Clock::time_point start; (start = Clock::now()) < end; ++count) {
    RunCommand(command, null);
    latencies->Add(Clock::now() - start);
  }
  close(null);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bare_spawn PROCESSES SECONDS COMMAND [ARGUMENT...]\n");
    return 2;
  }
  const std::chrono::duration<double> seconds(std::strtod(argv[2], nullptr));
  const auto length = std::chrono::duration_cast<Clock::duration>(seconds);
  void* const shared = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const total = new (shared) std::atomic<uint64_t>(0);
  Latencies latencies;
  const Clock::time_point start = Clock::now();
  std::vector<pid_t> others(ParseNumber(argv[1]) - 1);
  for (pid_t& other : others) {
    other = Check(fork(), "fork");
    if (other != 0) continue;
    *total += RunFor(length, argv + 3, &latencies);
    _exit(0);
  }
  *total += RunFor(length, argv + 3, &latencies);
  for (const pid_t other : others) AwaitSuccess(other, argv[0]);
  const std::chrono::duration<double> elapsed = Clock::now() - start;
  std::printf("{\"per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f}\n",
              static_cast<double>(*total) / elapsed.count(), latencies.Quantile(0.5),
              latencies.Quantile(0.99));
  return 0;
}
