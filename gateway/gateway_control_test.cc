#include <set>
#include <string>
#include <thread>

#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

// On the wire gRPC rounds up how long a call has, to two or three digits.
constexpr double kRounding = 1.1;

using GatewayControlTest = ControlTest;

TEST_F(GatewayControlTest, CallsPassedOnCarryMetadataBothWays) {
  grpc::ClientContext context;
  context.AddMetadata("trace-id", "abc");
  context.AddMetadata("x-rawgate-peer", "tcp://forged:1");
  pb::StartServiceRequest request;
  request.set_service("echo");
  pb::StartServiceResponse response;
  ASSERT_TRUE(stub_->StartService(&context, request, &response).ok());
  const auto metadata = echo_.metadata();
  EXPECT_THAT(metadata, Contains(Pair("trace-id", "abc")));
  ASSERT_EQ(metadata.count("x-rawgate-peer"), 1U);
  EXPECT_THAT(metadata.find("x-rawgate-peer")->second, StartsWith("tcp://127.0.0.1:"));
  EXPECT_EQ(context.GetServerInitialMetadata().count("answered-by"), 1U);
  EXPECT_EQ(context.GetServerTrailingMetadata().count("cost-bin"), 1U);
}

TEST_F(GatewayControlTest, CallsPassedOnHaveTheCeilingUnlessTheyHaveADeadline) {
  pb::StartServiceRequest request;
  request.set_service("echo");
  pb::StartServiceResponse response;
  grpc::ClientContext without;
  ASSERT_TRUE(stub_->StartService(&without, request, &response).ok());
  EXPECT_LT(echo_.time_left(), absl::Seconds(60) * kRounding);
  grpc::ClientContext with;
  with.set_deadline(absl::ToChronoTime(absl::Now() + absl::Hours(2)));
  ASSERT_TRUE(stub_->StartService(&with, request, &response).ok());
  EXPECT_GT(echo_.time_left(), absl::Hours(1));
}

TEST_F(GatewayControlTest, StopHasItsGraceBesidesTheCeiling) {
  echo_.stopped = true;
  pb::StopServiceRequest request;
  request.set_service("echo");
  request.mutable_grace()->set_seconds(300);
  pb::StopServiceResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->StopService(&context, request, &response).ok());
  EXPECT_GT(echo_.time_left(), absl::Seconds(300));
  EXPECT_LT(echo_.time_left(), absl::Seconds(360) * kRounding);
}

TEST_F(GatewayControlTest, QuestionsToBackendsAreBriefAndCarryMetadata) {
  grpc::ClientContext services;
  services.AddMetadata("trace-id", "abc");
  pb::ListServicesResponse list;
  ASSERT_TRUE(stub_->ListServices(&services, {}, &list).ok());
  EXPECT_THAT(echo_.metadata(), Contains(Pair("trace-id", "abc")));
  EXPECT_LT(echo_.time_left(), absl::Seconds(1) * kRounding);
  grpc::ClientContext connections;
  connections.AddMetadata("trace-id", "def");
  pb::ListConnectionsResponse rows;
  ASSERT_TRUE(stub_->ListConnections(&connections, {}, &rows).ok());
  EXPECT_THAT(time_.metadata(), Contains(Pair("trace-id", "def")));
  EXPECT_LT(time_.time_left(), absl::Seconds(1) * kRounding);
}

TEST_F(GatewayControlTest, FrozenBackendIsLeftOutOfTheConnectionList) {
  echo_.frozen = true;
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(30)));
  pb::ListConnectionsResponse response;
  const grpc::Status status = stub_->ListConnections(&context, {}, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  std::set<std::string> services;
  for (const pb::Connection& row : response.connections()) services.insert(row.service());
  EXPECT_TRUE(services.contains("time"));
  EXPECT_FALSE(services.contains("echo"));
}

TEST_F(GatewayControlTest, WhatAServiceRefusesIsNoRefusalOfTheGateways) {
  pb::StartServiceRequest request;
  request.set_service("echo");
  request.set_listener("going");
  pb::StartServiceResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(Reason(stub_->StartService(&context, request, &response)), "DRAINING");
  EXPECT_THAT(gateway_->MetricsPage(),
              HasSubstr("rawgate_gateway_refused_calls_total{reason=\"DRAINING\"} 0\n"));
}

TEST_F(GatewayControlTest, UnknownNameIsQuotedShortAndBetweenCharacters) {
  std::string name = "a";
  for (int i = 0; i < 1000; ++i) name += "\xc3\xa9";
  pb::GetServiceResponse response;
  const grpc::Status status = GetService(name, &response);
  EXPECT_EQ(Reason(status), "SERVICE_NOT_FOUND");
  // 63 bytes of the name: the 64th is the first half of a character.
  EXPECT_THAT(status.error_message(), HasSubstr("\"" + name.substr(0, 63) + "\""));
}

// A StopService that is under way until `stopped`.
class StopUnderWay {
 public:
  StopUnderWay(pb::ControlService::Stub& stub, TestControl& service)
      : caller_([this, &stub] {
          pb::StopServiceRequest request;
          request.set_service("echo");
          pb::StopServiceResponse response;
          status_ = stub.StopService(&context_, request, &response);
        }) {
    EXPECT_TRUE(Eventually([&] { return service.stops == 1; }));
  }
  grpc::Status Join() {
    caller_.join();
    return status_;
  }

 private:
  grpc::ClientContext context_;
  grpc::Status status_;
  std::thread caller_;
};

TEST_F(GatewayControlTest, DrainWaitsForControlCalls) {
  StopUnderWay stop(*stub_, echo_);
  std::thread drain([&] { gateway_->Stop(absl::InfiniteDuration()); });
  pb::GetServiceResponse response;
  grpc::Status refused;
  EXPECT_TRUE(Eventually([&] { return !(refused = GetService("echo", &response)).ok(); }));
  EXPECT_EQ(Reason(refused), "DRAINING");
  echo_.stopped = true;
  const grpc::Status status = stop.Join();
  EXPECT_TRUE(status.ok()) << status.error_message();
  drain.join();
  gateway_.reset();
}

TEST_F(GatewayControlTest, ControlCallsThatOutlastTheGraceAreToldToTryAgain) {
  StopUnderWay stop(*stub_, echo_);
  gateway_->Stop(absl::ZeroDuration());
  const grpc::Status status = stop.Join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  EXPECT_EQ(Reason(status), "DRAINING");
  EXPECT_TRUE(RetryAfterOf(rpc::FromGrpc(status)).has_value());
  gateway_.reset();
}

}  // namespace
}  // namespace rawgate::gateway
