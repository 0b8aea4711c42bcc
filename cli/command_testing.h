// For tests of commands: `rawgate` in this process, against servicers of the test's own.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/command_line.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "grpcpp/grpcpp.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {

// A file without a name, for a command's input and output.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& content = {}) : fd_(::memfd_create("test", MFD_CLOEXEC)) {
    WriteAll(fd_.get(), content, "memory file").IgnoreError();
    ::lseek(fd_.get(), 0, SEEK_SET);
  }

  int fd() const { return fd_.get(); }

  std::string Content() const {
    struct stat status {};
    ::fstat(fd_.get(), &status);
    std::string content(static_cast<size_t>(status.st_size), '\0');
    const ssize_t size = ::pread(fd_.get(), content.data(), content.size(), 0);
    content.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return content;
  }

 private:
  Fd fd_;
};

struct CliResult {
  int code;
  std::string out;
  std::string error;
};

// Runs the command line with `input` as a file on standard input.
inline CliResult RunCli(const std::vector<std::string>& words, const std::string& input,
                        Interrupt& interrupt) {
  // Not that of whoever runs the tests; a test that wants one says so before.
  // NOLINTNEXTLINE(concurrency-mt-unsafe): gRPC's threads do not read it
  ::setenv("RAWGATE_CONFIG", "/dev/null", /*replace=*/0);
  const MemoryFile in(input);
  const MemoryFile out;
  const MemoryFile error;
  Console console(in.fd(), out.fd(), error.fd());
  const int code = RunCommandLine(words, console, interrupt);
  return {code, out.Content(), error.Content()};
}

inline CliResult RunCli(const std::vector<std::string>& words, const std::string& input = {}) {
  Interrupt interrupt;
  return RunCli(words, input, interrupt);
}

// A gateway made of the given services, on a port of 127.0.0.1 that was free. The services outlive
// it.
class FakeGateway {
 public:
  FakeGateway(std::initializer_list<grpc::Service*> services) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
    target_ = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeGateway() { Stop(); }

  const std::string& target() const { return target_; }

  // Ends every call.
  void Stop() { server_->Shutdown(std::chrono::system_clock::now()); }

  CliResult Run(std::vector<std::string> words, const std::string& input = {}) const {
    Interrupt interrupt;
    return Run(std::move(words), input, interrupt);
  }
  CliResult Run(std::vector<std::string> words, const std::string& input,
                Interrupt& interrupt) const {
    words.insert(words.begin(), {"--gateway", target_});
    return RunCli(words, input, interrupt);
  }

 private:
  std::string target_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace rawgate::cli
