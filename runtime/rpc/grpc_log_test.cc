#include "runtime/rpc/grpc_log.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <grpc/grpc.h>
#include <grpc/support/log.h>
#include <gtest/gtest.h>

#include "runtime/base/log.h"

namespace rawgate::rpc {
namespace {

TEST(GrpcLog, OursAndOnlySomeOfIt) {
  ASSERT_TRUE(StartLogging("rawgate-x", "info", LogFormat::kJson));
  TakeOverGrpcLog();
  // Whose verbosity is read then.
  grpc_init();
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) gpr_log(GPR_ERROR, "handshake %d\nfailed", i);
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, testing::HasSubstr(R"("level":"error","program":"rawgate-x",)"
                                        R"("message":"gRPC: handshake 0\nfailed",)"
                                        R"("source":"grpc_log_test.cc:)"));
  EXPECT_THAT(lines, testing::Not(testing::HasSubstr(R"("held_back":0)")));
  // A minute may begin meanwhile.
  const auto count = std::count(lines.begin(), lines.end(), '\n');
  EXPECT_GE(count, 20);
  EXPECT_LE(count, 40);
}

}  // namespace
}  // namespace rawgate::rpc
