#include "gateway/required_role.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "gateway/route.h"
#include "gateway/served_services.h"
#include "rawgate/access/v1/access.pb.h"

namespace rawgate::gateway {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(RequiredRoleTest, EveryMethodOfOursSaysWhatItNeeds) {
  int methods = 0;
  for (const auto* service : ServedServices()) {
    if (absl::StartsWith(service->full_name(), "grpc.")) continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const auto& options = service->method(i)->options();
      EXPECT_NE(options.GetExtension(access::v1::required_role), access::v1::ROLE_UNSPECIFIED)
          << service->method(i)->full_name();
      ++methods;
    }
  }
  EXPECT_GT(methods, 30);
}

TEST(RequiredRoleTest, IsWhatTheProtoSays) {
  const auto roles = RequiredRoles(ServedServices());
  EXPECT_EQ(roles.at("/rawgate.control.v1.ControlService/ListServices"), rpc::Role::kViewer);
  EXPECT_EQ(roles.at("/rawgate.echo.v1.EchoService/Echo"), rpc::Role::kOperator);
  EXPECT_EQ(roles.at("/google.bytestream.ByteStream/Write"), rpc::Role::kExecutor);
  EXPECT_EQ(roles.at("/rawgate.time.v1.TimeService/SetTestClock"), rpc::Role::kAdmin);
  EXPECT_EQ(roles.at("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
            rpc::Role::kViewer);
}

TEST(RequiredRoleTest, AMethodThatSaysNothingIsForAdminsAlone) {
  const auto roles = RequiredRoles({ServedServices().at(7)});
  EXPECT_THAT(roles, UnorderedElementsAre(Pair("/grpc.health.v1.Health/Check", rpc::Role::kAdmin),
                                          Pair("/grpc.health.v1.Health/Watch", rpc::Role::kAdmin)));
}

}  // namespace
}  // namespace rawgate::gateway
