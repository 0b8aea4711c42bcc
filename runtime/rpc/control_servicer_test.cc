#include "runtime/rpc/control_servicer.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_servicer_testing.h"

namespace rawgate::rpc {
namespace {

using testing::Each;
using testing::ElementsAre;

TEST_F(ControlServicerTest, DescribesTheService) {
  server_.loop_thread.Run([&] {
    server_.tcp->counters().bytes_received.Add(12);
    server_.tcp->counters().closed[static_cast<size_t>(observe::CloseReason::kReset)].Add(3);
  });
  server_.service.rpc_counters().requests.Add(2);
  pb::ListServicesResponse response;
  ASSERT_TRUE(
      Call(&pb::ControlService::Stub::ListServices, pb::ListServicesRequest(), &response).ok());
  ASSERT_EQ(response.services_size(), 1);
  const pb::Service& service = response.services(0);
  EXPECT_EQ(service.name(), "fake");
  EXPECT_EQ(service.instance(), server_.service.instance());
  EXPECT_EQ(service.desired_state(), pb::DESIRED_STATE_RUNNING);
  EXPECT_EQ(service.state(), pb::SERVICE_STATE_RUNNING);
  EXPECT_GT(service.state_time().seconds(), 0);
  EXPECT_EQ(service.pid(), ::getpid());
  EXPECT_GT(service.process_start_time().seconds(), 0);
  EXPECT_NE(service.version(), "");
  EXPECT_EQ(service.counters().bytes_received(), 12u);
  EXPECT_EQ(service.counters().requests(), 2u);
  ASSERT_EQ(service.listeners_size(), 2);
  const pb::Listener& listener = service.listeners(0);
  EXPECT_EQ(listener.name(), "tcp");
  EXPECT_EQ(listener.transport(), pb::TRANSPORT_TCP);
  EXPECT_EQ(listener.configured_address(), "tcp://127.0.0.1:0");
  EXPECT_EQ(listener.bound_address(), "tcp://127.0.0.1:4711");
  EXPECT_EQ(listener.state(), pb::SERVICE_STATE_RUNNING);
  ASSERT_EQ(listener.counters().closed_size(), 1);
  EXPECT_EQ(listener.counters().closed().at("reset"), 3u);
}

TEST_F(ControlServicerTest, GetsTheServiceByName) {
  pb::GetServiceRequest request;
  request.set_service("fake");
  pb::GetServiceResponse response;
  ASSERT_TRUE(Call(&pb::ControlService::Stub::GetService, request, &response).ok());
  EXPECT_EQ(response.service().name(), "fake");
}

// Calls every method that takes an instance, and collects the reasons.
TEST_F(ControlServicerTest, AnotherInstanceIsNotFound) {
  const auto reasons = [&](const std::string& instance) {
    std::vector<std::string> all;
    const auto call = [&](auto method, auto request, auto response) {
      request.set_service("fake");
      request.set_instance(instance);
      all.push_back(ReasonOf(Call(method, request, &response)));
    };
    using Stub = pb::ControlService::Stub;
    call(&Stub::GetService, pb::GetServiceRequest(), pb::GetServiceResponse());
    call(&Stub::StartService, pb::StartServiceRequest(), pb::StartServiceResponse());
    call(&Stub::CloseConnection, pb::CloseConnectionRequest(), pb::CloseConnectionResponse());
    call(&Stub::StopService, pb::StopServiceRequest(), pb::StopServiceResponse());
    return all;
  };
  EXPECT_THAT(reasons("other"), Each("INSTANCE_NOT_FOUND"));
  EXPECT_THAT(reasons(server_.service.instance()),
              ElementsAre("OK", "OK", "CONNECTION_NOT_FOUND", "OK"));
  EXPECT_THAT(reasons(""), ElementsAre("OK", "OK", "CONNECTION_NOT_FOUND", "OK"));
}

TEST_F(ControlServicerTest, IsItsOnlyReplica) {
  pb::GetServiceRequest request;
  request.set_service("fake");
  pb::GetServiceResponse response;
  ASSERT_TRUE(Call(&pb::ControlService::Stub::GetService, request, &response).ok());
  ASSERT_EQ(response.replicas_size(), 1);
  EXPECT_EQ(response.replicas(0).instance(), response.service().instance());
  EXPECT_EQ(response.replicas(0).address(), "");
}

TEST_F(ControlServicerTest, AnotherNameIsNotFound) {
  const auto expect_not_found = [](const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
    EXPECT_EQ(ReasonOf(status), "SERVICE_NOT_FOUND");
  };
  for (const char* name : {"other", "", "Fake"}) {
    pb::GetServiceRequest get;
    get.set_service(name);
    pb::GetServiceResponse got;
    expect_not_found(Call(&pb::ControlService::Stub::GetService, get, &got));
    pb::StartServiceRequest start;
    start.set_service(name);
    pb::StartServiceResponse started;
    expect_not_found(Call(&pb::ControlService::Stub::StartService, start, &started));
    pb::StopServiceRequest stop;
    stop.set_service(name);
    pb::StopServiceResponse stopped;
    expect_not_found(Call(&pb::ControlService::Stub::StopService, stop, &stopped));
    pb::CloseConnectionRequest close;
    close.set_service(name);
    pb::CloseConnectionResponse closed;
    expect_not_found(Call(&pb::ControlService::Stub::CloseConnection, close, &closed));
  }
  pb::ListConnectionsRequest list;
  list.set_service("other");
  pb::ListConnectionsResponse listed;
  expect_not_found(List(list, &listed));
}

TEST_F(ControlServicerTest, StopsAndStartsTheWhole) {
  pb::Service service;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Stop(StopRequest("", absl::Seconds(1)), &service).ok());
    EXPECT_EQ(service.desired_state(), pb::DESIRED_STATE_STOPPED);
    EXPECT_EQ(service.state(), pb::SERVICE_STATE_STOPPED);
    EXPECT_EQ(service.listeners(0).state(), pb::SERVICE_STATE_STOPPED);
    EXPECT_EQ(service.listeners(0).bound_address(), "");
  }
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Start("", &service).ok());
    EXPECT_EQ(service.desired_state(), pb::DESIRED_STATE_RUNNING);
    EXPECT_EQ(service.state(), pb::SERVICE_STATE_RUNNING);
    EXPECT_EQ(service.listeners(1).state(), pb::SERVICE_STATE_RUNNING);
  }
}

TEST_F(ControlServicerTest, StopsAndStartsOneListener) {
  pb::Service service;
  ASSERT_TRUE(Stop(StopRequest("sized", absl::Seconds(1)), &service).ok());
  EXPECT_EQ(service.state(), pb::SERVICE_STATE_RUNNING);
  EXPECT_EQ(service.listeners(0).state(), pb::SERVICE_STATE_RUNNING);
  EXPECT_EQ(service.listeners(1).state(), pb::SERVICE_STATE_STOPPED);
  ASSERT_TRUE(Start("sized", &service).ok());
  EXPECT_EQ(service.listeners(1).state(), pb::SERVICE_STATE_RUNNING);

  EXPECT_EQ(ReasonOf(Start("none", &service)), "LISTENER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Stop(StopRequest("none", absl::Seconds(1)), &service)), "LISTENER_NOT_FOUND");
}

TEST_F(ControlServicerTest, AStartThatCannotBindFailsAndSaysWhy) {
  pb::Service service;
  ASSERT_TRUE(Stop(StopRequest("", absl::Seconds(1)), &service).ok());
  server_.loop_thread.Run([&] {
    server_.tcp->start_error = Error(absl::StatusCode::kFailedPrecondition, "BIND_FAILED", "taken");
  });
  const absl::Status status = Start("", &service);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "BIND_FAILED");

  pb::GetServiceRequest request;
  request.set_service("fake");
  pb::GetServiceResponse response;
  ASSERT_TRUE(Call(&pb::ControlService::Stub::GetService, request, &response).ok());
  EXPECT_EQ(response.service().state(), pb::SERVICE_STATE_FAILED);
  EXPECT_EQ(response.service().listeners(0).state(), pb::SERVICE_STATE_FAILED);
  EXPECT_EQ(response.service().listeners(0).last_error(), "taken");
}

TEST_F(ControlServicerTest, AZeroGraceClosesAtOnce) {
  server_.loop_thread.Run([&] { server_.tcp->Connect(); });
  pb::Service service;
  ASSERT_TRUE(Stop(StopRequest("", absl::ZeroDuration()), &service).ok());
  EXPECT_EQ(service.state(), pb::SERVICE_STATE_STOPPED);
}

TEST_F(ControlServicerTest, RefusesABadGrace) {
  std::vector<google::protobuf::Duration> bad(5);
  bad[0].set_seconds(-1);
  bad[1].set_nanos(-1);
  bad[2].set_seconds(601);
  bad[3].set_seconds(600);
  bad[3].set_nanos(1);
  bad[4].set_nanos(2'000'000'000);
  for (const auto& grace : bad) {
    pb::StopServiceRequest request;
    request.set_service("fake");
    *request.mutable_grace() = grace;
    pb::Service service;
    const absl::Status status = Stop(request, &service);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << grace.ShortDebugString();
    EXPECT_EQ(ReasonOf(status), "BAD_GRACE");
    EXPECT_EQ(FieldOf(status), "grace");
  }
  EXPECT_TRUE(server_.service.accepting());
}

TEST_F(ControlServicerTest, TakesTheLongestGraceAndTheDefault) {
  pb::Service service;
  EXPECT_TRUE(Stop(StopRequest("", absl::Minutes(10)), &service).ok());
  pb::StopServiceRequest request;
  request.set_service("fake");
  EXPECT_TRUE(Stop(request, &service).ok());
}

}  // namespace
}  // namespace rawgate::rpc
