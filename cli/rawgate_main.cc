// rawgate: the command-line client of the gateway.
#include <cstdlib>
#include <string>
#include <vector>

#include <grpc/support/log.h>

#include "cli/command_line.h"

int main(int argc, char** argv) {
  rawgate::cli::FillStandardDescriptors();
  // gRPC logs to standard error, which belongs to the remote command's; whoever debugs gRPC says
  // so.
  // While every call fails at once, none of them waits for the connection that is being made, and
  // gRPC looks at it each 5 s alone: so long nobody would know that the gateway is back.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet
  ::setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "200", /*replace=*/0);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet
  if (std::getenv("GRPC_VERBOSITY") == nullptr) gpr_set_log_function([](gpr_log_func_args*) {});

  // Never destroyed: the signal thread uses it until the process is gone.
  static rawgate::cli::Interrupt& interrupt = *new rawgate::cli::Interrupt;
  rawgate::cli::DeliverSignals(interrupt);
  rawgate::cli::Console console(0, 1, 2);
  const int code = rawgate::cli::RunCommandLine(std::vector<std::string>(argv + 1, argv + argc),
                                                console, interrupt);
  if (const int signal = interrupt.signal(); signal != 0) rawgate::cli::EndBySignal(signal);
  return code;
}
