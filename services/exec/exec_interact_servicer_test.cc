#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "grpcpp/client_context.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_service_testing.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Eventually;

class InteractTest : public ::testing::Test {
 protected:
  void Start(const std::string& shell_command, bool terminal = false) {
    v1::InteractRequest request;
    request.mutable_start()->set_shell_command(shell_command);
    if (terminal) request.mutable_start()->mutable_terminal();
    EXPECT_TRUE(stream_->Write(request));
  }
  bool Send(const std::string& bytes) {
    v1::InteractRequest request;
    request.set_stdin(bytes);
    return stream_->Write(request);
  }
  // Reads until there is as much output as `size`.
  void ReadOutput(size_t size) {
    while (out_.size() < size && ReadOne()) {
    }
  }
  bool ReadOne() {
    v1::InteractResponse response;
    if (!stream_->Read(&response)) return false;
    if (response.has_started()) job_id_ = response.started().job_id();
    if (response.has_output()) out_ += response.output().data();
    if (response.has_outcome()) outcome_ = response.outcome();
    return true;
  }
  // The reason of the error, "OK" when there is none.
  std::string ReadToEnd() {
    while (ReadOne()) {
    }
    return ReasonOf(rpc::FromGrpc(stream_->Finish()));
  }

  ExecServiceFixture exec_;
  std::unique_ptr<v1::ExecService::Stub> stub_ =
      v1::ExecService::NewStub(exec_.service().channel());
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::InteractRequest, v1::InteractResponse>> stream_ =
      stub_->Interact(&context_);
  std::string job_id_;
  std::string out_;
  v1::Outcome outcome_;
};

TEST_F(InteractTest, InputAndOutputGoBackAndForth) {
  Start("while read line; do echo \"got $line\"; done; echo end");
  EXPECT_TRUE(Send("one\n"));
  ReadOutput(8);
  EXPECT_EQ(out_, "got one\n");
  EXPECT_TRUE(Send("two\n"));
  ReadOutput(16);
  stream_->WritesDone();
  EXPECT_EQ(ReadToEnd(), "OK");
  EXPECT_EQ(out_, "got one\ngot two\nend\n");
  EXPECT_EQ(outcome_.exited().code(), 0);
}

TEST_F(InteractTest, MuchInputArrivesWhole) {
  Start("sha256sum");
  for (int i = 0; i < 64; ++i)
    EXPECT_TRUE(Send(std::string(256 << 10, static_cast<char>('a' + i % 26))));
  stream_->WritesDone();
  EXPECT_EQ(ReadToEnd(), "OK");
  EXPECT_EQ(out_, "9a55320f74a710b5d2e151c745af651191f816938e12ab76901a55efd4586771  -\n");
  EXPECT_EQ(outcome_.exited().code(), 0);
}

TEST_F(InteractTest, InputThatNobodyTakesHoldsNothingUp) {
  Start("exec 0<&-; exit 3");
  for (int i = 0; i < 64 && Send(std::string(256 << 10, 'x')); ++i) {
  }
  EXPECT_EQ(ReadToEnd(), "OK");
  EXPECT_EQ(outcome_.exited().code(), 3);
}

TEST_F(InteractTest, SignalsAndSizes) {
  Start("trap 'stty size' USR1; echo up; while :; do read line; done", /*terminal=*/true);
  ReadOutput(4);
  v1::InteractRequest request;
  request.mutable_resize()->set_rows(10);
  request.mutable_resize()->set_columns(20);
  EXPECT_TRUE(stream_->Write(request));
  request.set_signal(v1::SIGNAL_USR1);
  EXPECT_TRUE(stream_->Write(request));
  ReadOutput(11);
  EXPECT_EQ(out_, "up\r\n10 20\r\n");
  request.set_signal(v1::SIGNAL_KILL);
  EXPECT_TRUE(stream_->Write(request));
  EXPECT_EQ(ReadToEnd(), "OK");
  EXPECT_EQ(outcome_.signalled().name(), "KILL");
}

TEST_F(InteractTest, TheEndOfInputIsTheTerminalsOwn) {
  Start("cat; echo end", /*terminal=*/true);
  EXPECT_TRUE(Send("x\n"));
  ReadOutput(6);
  stream_->WritesDone();
  EXPECT_EQ(ReadToEnd(), "OK");
  EXPECT_EQ(out_, "x\r\nx\r\nend\r\n");
}

TEST_F(InteractTest, InputFromTheStartComesBeforeTheRest) {
  v1::InteractRequest request;
  request.mutable_start()->set_shell_command("sleep 0.1; cat | wc -c");
  request.mutable_start()->set_stdin(std::string(200'000, 'x'));
  EXPECT_TRUE(stream_->Write(request));
  EXPECT_TRUE(Send("0123456789"));
  stream_->WritesDone();
  EXPECT_EQ(ReadToEnd(), "OK");
  EXPECT_EQ(out_, "200010\n");
}

TEST_F(InteractTest, ABrokenStreamIsNoEndOfInputForACommandThatIsKept) {
  v1::InteractRequest request;
  request.mutable_start()->set_shell_command("echo up; cat; echo ended");
  request.mutable_start()->set_on_disconnect(v1::ON_DISCONNECT_KEEP);
  EXPECT_TRUE(stream_->Write(request));
  ReadOutput(3);
  context_.TryCancel();
  stream_->Finish();
  EXPECT_TRUE(Eventually([&] { return exec_.Calls().empty(); }));
  v1::WriteStdinRequest more;
  more.set_job_id(job_id_);
  more.set_data("x");
  v1::WriteStdinResponse written;
  grpc::ClientContext context;
  EXPECT_TRUE(stub_->WriteStdin(&context, more, &written).ok());
}

TEST_F(InteractTest, StartComesFirstAndOnce) {
  EXPECT_TRUE(Send("x"));
  EXPECT_EQ(ReadToEnd(), "BAD_SEQUENCE");
}

TEST_F(InteractTest, StartComesOnce) {
  Start("sleep 600");
  Start("sleep 600");
  EXPECT_EQ(ReadToEnd(), "BAD_SEQUENCE");
  EXPECT_TRUE(Eventually([&] { return exec_.running() == 0; }));
}

TEST_F(InteractTest, NothingIsNoStart) {
  stream_->WritesDone();
  EXPECT_EQ(ReadToEnd(), "BAD_SEQUENCE");
}

TEST_F(InteractTest, ASignalThatIsNone) {
  Start("sleep 600");
  v1::InteractRequest request;
  request.set_signal(v1::SIGNAL_UNSPECIFIED);
  stream_->Write(request);
  EXPECT_EQ(ReadToEnd(), "BAD_SIGNAL");
}

TEST_F(InteractTest, TheClientsEndIsTheCommands) {
  Start("echo up; sleep 600");
  ReadOutput(3);
  context_.TryCancel();
  stream_->Finish();
  EXPECT_TRUE(Eventually([&] { return exec_.running() == 0; }));
}

TEST_F(InteractTest, AStoppedServiceEndsOneThatWasNotStarted) {
  EXPECT_TRUE(Eventually([&] { return exec_.Calls().size() == 1; }));
  EXPECT_TRUE(exec_.service().Stop(absl::ZeroDuration()).ok());
  // The code alone, when the call had just come.
  EXPECT_THAT(ReadToEnd(), ::testing::AnyOf("SERVICE_STOPPED", "FAILED_PRECONDITION"));
}

}  // namespace
}  // namespace rawgate::exec
