// What Run refuses or ends for the sake of others.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "grpcpp/client_context.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_service_testing.h"
#include "services/exec/exec_servicer.h"
#include "services/exec/exec_servicer_testing.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Eventually;
using ::testing::IsEmpty;

class ImpatientExecServicerTest : public ExecServicerTest {
 protected:
  ImpatientExecServicerTest() : ExecServicerTest({}, absl::Milliseconds(50)) {}
};

TEST_F(ImpatientExecServicerTest, AClientThatDoesNotReadIsCutOff) {
  const std::string length = UniqueLength();
  FollowedRun run(*stub_, absl::StrCat("head -c 30000000 /dev/zero; exec sleep ", length));
  ASSERT_TRUE(run.AwaitStarted());
  EXPECT_TRUE(Eventually([&] { return exec_.Calls().empty(); }));
  EXPECT_EQ(exec_.running(), 0u);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  const RunResult result = run.AwaitEnd();
  EXPECT_EQ(result.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(result.outcomes, IsEmpty());
}

TEST_F(ImpatientExecServicerTest, AClientThatWaitsForOutputIsNot) {
  const RunResult result = Run("echo first; sleep 0.2; echo second");
  EXPECT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_EQ(result.out, "first\nsecond\n");
}

class CrampedExecServicerTest : public ExecServicerTest {
 protected:
  CrampedExecServicerTest() : ExecServicerTest({.unread_file_max = 40 << 20}) {}
};

TEST_F(CrampedExecServicerTest, OutputThatNobodyReadsGivesWayToOthers) {
  FollowedRun silent(*stub_, "head -c 30000000 /dev/zero");
  ASSERT_TRUE(silent.AwaitStarted());
  ASSERT_TRUE(Eventually([&] { return exec_.running() == 0; }));
  EXPECT_EQ(Run("head -c 30000000 /dev/zero").out.size(), 30'000'000u);
  const RunResult result = silent.AwaitEnd();
  const absl::Status status = rpc::FromGrpc(result.status);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(ReasonOf(status), "OUTPUT_NOT_READ");
  EXPECT_TRUE(RetryAfterOf(status).has_value());
  EXPECT_THAT(result.outcomes, IsEmpty());
  EXPECT_LT(result.out.size(), 30'000'000u);
}

class BusyExecServicerTest : public ExecServicerTest {
 protected:
  BusyExecServicerTest()
      : ExecServicerTest({.output_max = 1000, .commands_max = 1, .queue_max = 1}) {}
};

TEST_F(BusyExecServicerTest, TooManyCommandsAreToldWhenToTryAgain) {
  std::array<grpc::ClientContext, 2> contexts;
  std::vector<std::unique_ptr<grpc::ClientReader<v1::RunResponse>>> readers;
  v1::RunRequest request;
  request.set_shell_command("sleep 600");
  for (grpc::ClientContext& context : contexts) {
    readers.push_back(stub_->Run(&context, request));
    ASSERT_TRUE(Eventually([&] { return exec_.waiting() + exec_.running() == readers.size(); }));
  }
  const absl::Status status = rpc::FromGrpc(Run("true").status);
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_COMMANDS");
  EXPECT_TRUE(RetryAfterOf(status).has_value());
  for (size_t i = 0; i < readers.size(); ++i) {
    contexts[i].TryCancel();
    v1::RunResponse response;
    while (readers[i]->Read(&response)) {
    }
    EXPECT_EQ(readers[i]->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
}

TEST_F(BusyExecServicerTest, ACommandWhoseTurnNeverCameIsRefusedByAStop) {
  FollowedRun running(*stub_, "exec sleep 600");
  ASSERT_TRUE(running.AwaitStarted());
  FollowedRun waiting(*stub_, "echo never");
  ASSERT_TRUE(Eventually([&] { return exec_.waiting() == 1; }));
  exec_.service().admission().BeginShutdown();
  ASSERT_TRUE(exec_.service().Stop(absl::ZeroDuration()).ok());
  ExpectCancelledOutcome(running.AwaitEnd());
  const RunResult refused = waiting.AwaitEnd();
  EXPECT_EQ(refused.started, 0);
  EXPECT_THAT(refused.outcomes, IsEmpty());
  const absl::Status status = rpc::FromGrpc(refused.status);
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(ReasonOf(status), "DRAINING");
  EXPECT_TRUE(RetryAfterOf(status).has_value());
}

TEST_F(BusyExecServicerTest, TellsHowCommandsAreRun) {
  FollowedRun running(*stub_, "exec sleep 600");
  ASSERT_TRUE(running.AwaitStarted());
  FollowedRun waiting(*stub_, "echo never");
  ASSERT_TRUE(Eventually([&] { return exec_.waiting() == 1; }));
  grpc::ClientContext context;
  v1::GetLimitsResponse limits;
  ASSERT_TRUE(stub_->GetLimits(&context, {}, &limits).ok());
  EXPECT_EQ(limits.sandbox(), v1::SANDBOX_NONE);
  EXPECT_FALSE(limits.has_policy());
  EXPECT_EQ(limits.run_as(), ResolveIdentity("nobody")->name);
  EXPECT_FALSE(limits.runs_as_root());
  EXPECT_EQ(limits.default_timeout().seconds(), 60);
  EXPECT_EQ(limits.max_timeout().seconds(), 3600);
  EXPECT_EQ(limits.max_running(), 1u);
  EXPECT_EQ(limits.max_queued(), 1u);
  EXPECT_EQ(limits.running(), 1u);
  EXPECT_EQ(limits.queued(), 1u);
  EXPECT_EQ(limits.max_output_bytes(), 1000u);
  ASSERT_TRUE(exec_.service().Stop(absl::ZeroDuration()).ok());
  running.AwaitEnd();
  waiting.AwaitEnd();
}

TEST_F(BusyExecServicerTest, OutputLimitHasItsOutcome) {
  const RunResult result = Run("yes");
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.out.size(), 1000u);
  EXPECT_EQ(result.outcomes.at(0).output_limit().limit_bytes(), 1000u);
}

}  // namespace
}  // namespace rawgate::exec
