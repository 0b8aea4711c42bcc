#include "gateway/target.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(TargetTest, Names) {
  for (const char* text :
       {"dns:///echo:50061", "dns:echo:50061", "dns:/echo:50061", "echo:50061", "[echo]:50061"}) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target.ok()) << text;
    EXPECT_THAT(target->addresses, IsEmpty()) << text;
    EXPECT_EQ(target->host, "echo") << text;
    EXPECT_EQ(target->port, "50061") << text;
  }
  EXPECT_EQ(ParseTarget("echo")->port, "443");
  EXPECT_EQ(ParseTarget("echo:grpc")->port, "grpc");
  // A zone is for the lookup to understand.
  EXPECT_EQ(ParseTarget("[fe80::1%lo]:1")->host, "fe80::1%lo");
}

TEST(TargetTest, Addresses) {
  EXPECT_THAT(ParseTarget("127.0.0.1:50061")->addresses, ElementsAre("ipv4:127.0.0.1:50061"));
  EXPECT_THAT(ParseTarget("dns:///[::1]:50061")->addresses, ElementsAre("ipv6:[::1]:50061"));
  EXPECT_THAT(ParseTarget("::1")->addresses, ElementsAre("ipv6:[::1]:443"));
  // In order, and each once.
  EXPECT_THAT(ParseTarget("ipv4:10.0.0.4:1,10.0.0.3:1,10.0.0.4:1")->addresses,
              ElementsAre("ipv4:10.0.0.3:1", "ipv4:10.0.0.4:1"));
  EXPECT_THAT(ParseTarget("ipv6:[::1]:1,[::1]:2")->addresses,
              ElementsAre("ipv6:[::1]:1", "ipv6:[::1]:2"));
}

TEST(TargetTest, WhatOnlyGrpcUnderstandsIsOneAddress) {
  for (const char* text : {"unix:///run/echo.sock", "unix:echo.sock", "unix-abstract:echo",
                           "dns://10.0.0.1/echo:50061", "xds:///echo"}) {
    EXPECT_THAT(ParseTarget(text)->addresses, ElementsAre(text));
  }
}

TEST(TargetTest, RefusesWhatCannotBeReached) {
  for (const char* text : {"", ":50061", "echo:", "ipv4:", "ipv4:echo:1", "ipv4:10.0.0.3:0",
                           "ipv4:10.0.0.3:1,", "ipv6:10.0.0.3:1", "ipv4:10.0.0.3:65536"}) {
    EXPECT_EQ(ReasonOf(ParseTarget(text).status()), "BAD_BACKENDS") << text;
  }
}

TEST(TargetTest, ListIsBounded) {
  std::string list = "ipv4:";
  for (size_t i = 1; i <= kReplicasMax; ++i) {
    if (i > 1) list += ",";
    list += "10.0.0.3:" + std::to_string(i);
  }
  EXPECT_THAT(ParseTarget(list)->addresses, SizeIs(kReplicasMax));
  EXPECT_EQ(ReasonOf(ParseTarget(list + ",10.0.0.4:1").status()), "BAD_BACKENDS");
}

}  // namespace
}  // namespace rawgate::gateway
