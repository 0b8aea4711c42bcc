// rawgate run with standard input, run --terminal and shell.
#include "cli/interaction.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "absl/strings/ascii.h"
#include "cli/command_testing.h"
#include "cli/exec_testing.h"
#include "cli/interaction_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using exec::v1::InteractRequest;
using exec::v1::OUTPUT_STREAM_STDOUT;
using testing::HasSubstr;

TEST_F(Interaction, InputOfAnySizeArrivesWholeAndInOrder) {
  std::string input;
  for (uint32_t i = 0; input.size() < 5'000'000; ++i) absl::StrAppend(&input, i, " ");
  std::string received;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    InteractRequest request;
    while (call.Next(request)) {
      EXPECT_TRUE(request.has_stdin());
      EXPECT_LE(request.stdin().size(), size_t{64} * 1024);
      received += request.stdin();
    }
    call.Exit(0);
    return grpc::Status::OK;
  };
  EXPECT_EQ(gateway_.Run({"run", "wc"}, input).code, 0);
  EXPECT_TRUE(received == input);
  EXPECT_EQ(exec_.last_request.stdin(), "");
}

TEST_F(Interaction, InputIsSentAsItComes) {
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    InteractRequest request;
    while (call.Next(request)) {
      call.Output(OUTPUT_STREAM_STDOUT, absl::AsciiStrToUpper(request.stdin()));
    }
    call.Output(OUTPUT_STREAM_STDOUT, "end");
    call.Exit(5);
    return grpc::Status::OK;
  };
  Pipe in;
  const Pipe out;
  int code = -1;
  std::thread rawgate([&] { code = Run({"run", "tr"}, in.read.get(), out.write.get()); });
  const auto next = [&] {
    char bytes[3] = {};
    const ssize_t count = ::read(out.read.get(), bytes, sizeof(bytes));
    return std::string(bytes, count < 0 ? 0 : static_cast<size_t>(count));
  };
  // Each is answered before the next, or the end, is there.
  for (const std::string text : {"one", "two"}) {
    EXPECT_EQ(::write(in.write.get(), text.data(), text.size()), 3);
    EXPECT_EQ(next(), absl::AsciiStrToUpper(text));
  }
  in.write.Reset();
  EXPECT_EQ(next(), "end");
  rawgate.join();
  EXPECT_EQ(code, 5);
}

TEST_F(Interaction, ACommandThatEndsDoesNotWaitForInput) {
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    call.Exit(3);
    return grpc::Status::OK;
  };
  const Pipe silent;
  const MemoryFile out;
  EXPECT_EQ(Run({"run", "true"}, silent.read.get(), out.fd()), 3);
}

TEST_F(Interaction, ACommandThatEndsDoesNotTakeTheRestOfTheInput) {
  bool cancelled = false;
  exec_.answer = [&](const ExecCall& call) {
    call.Start();
    InteractRequest request;
    EXPECT_TRUE(call.Next(request));
    // Nobody reads on: the rest of the input stands before a full window.
    call.Exit(3);
    cancelled = call.IsCancelled();
    return grpc::Status::OK;
  };
  // Zeros without an end, as good as.
  constexpr off_t kSize = off_t{1} << 40;
  const MemoryFile in;
  ASSERT_EQ(::ftruncate(in.fd(), kSize), 0);
  const MemoryFile out;
  EXPECT_EQ(Run({"run", "head"}, in.fd(), out.fd()), 3);
  EXPECT_LT(::lseek(in.fd(), 0, SEEK_CUR), kSize);
  EXPECT_FALSE(cancelled);
}

TEST_F(Interaction, InputOfACommandThatDoesNotStartIsLeft) {
  exec_.answer = [](const ExecCall&) {
    return rpc::ToGrpc(
        Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_COMMANDS", "64 commands wait"));
  };
  const MemoryFile in("for the next one");
  const MemoryFile out;
  EXPECT_EQ(Run({"run", "wc"}, in.fd(), out.fd()), 255);
  EXPECT_EQ(::lseek(in.fd(), 0, SEEK_CUR), 0);
  EXPECT_EQ(error_.Content(), "rawgate run: 64 commands wait\n");
}

TEST_F(Interaction, InputThatCannotBeReadIsOurFailure) {
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    while (!call.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const MemoryFile file;
  const Fd in(::open(absl::StrCat("/proc/self/fd/", file.fd()).c_str(), O_WRONLY | O_CLOEXEC));
  const MemoryFile out;
  EXPECT_EQ(Run({"run", "wc"}, in.get(), out.fd()), 255);
  gateway_.Stop();
  EXPECT_EQ(error_.Content(), "rawgate run: reading standard input: Bad file descriptor\n");
}

TEST_F(Interaction, OutputThatNobodyTakesEndsTheCommand) {
  exec_.answer = [](const ExecCall& call) {
    call.Start();
    call.Output(OUTPUT_STREAM_STDOUT, "x");
    while (!call.IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const Pipe silent;
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  EXPECT_EQ(Run({"run", "yes"}, silent.read.get(), full.get()), 255);
  gateway_.Stop();
  EXPECT_THAT(error_.Content(),
              HasSubstr("rawgate run: writing standard output: No space left on device"));
}

TEST_F(Interaction, ATerminalIsNeededForOne) {
  const CliResult run = gateway_.Run({"run", "-t", "--", "top"}, "keys");
  EXPECT_EQ(run.code, 255);
  EXPECT_THAT(run.error, HasSubstr("rawgate run: standard input is no terminal"));
  EXPECT_THAT(run.error, HasSubstr("without --terminal takes a pipe or a file"));
  EXPECT_EQ(gateway_.Run({"shell"}).code, 255);
}

}  // namespace
}  // namespace rawgate::cli
