// Runs a shell command through the gateway: output as it comes, and the command's exit code as our
// own.
//
// Usage: exec_grpc [COMMAND [HOST:PORT]]
#include <exception>
#include <iostream>
#include <stdexcept>

#include "gateway.h"
#include "rawgate/exec/v1/exec_service.grpc.pb.h"

using rawgate::exec::v1::ExecService;

int main(int argc, char** argv) try {
  const auto stub = ExecService::NewStub(Connect(argc, argv, 2));
  rawgate::exec::v1::RunRequest request;
  request.set_shell_command(argc > 1 ? argv[1] : "uname -sr");
  request.mutable_timeout()->set_seconds(60);
  // Should we end early, so does the call, and with it the command.
  Within context(70);
  const auto stream = stub->Run(&context, request);
  rawgate::exec::v1::Outcome outcome;
  for (rawgate::exec::v1::RunResponse response; stream->Read(&response);) {
    if (response.has_started()) {
      std::cerr << "started: " << response.started().job_id() << "\n";
    } else if (response.has_output()) {
      const bool to_error = response.output().stream() == rawgate::exec::v1::OUTPUT_STREAM_STDERR;
      (to_error ? std::cerr : std::cout) << response.output().data() << std::flush;
    } else if (response.has_outcome()) {
      outcome = response.outcome();
    }
  }
  Check(stream->Finish());
  // Never take the absence of bad news for success.
  if (!outcome.has_exited())
    throw std::runtime_error("no exit code: " + outcome.ShortDebugString());
  return outcome.exited().code();
} catch (const std::exception& error) {
  std::cerr << "exec_grpc: " << error.what() << "\n";
  return 1;
}
