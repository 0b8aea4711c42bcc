// Control of a service that has two replicas, at the gateway.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "gateway/control_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

namespace pb = control::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ReplicasControlTest : public ::testing::Test {
 protected:
  ReplicasControlTest() {
    auto gateway = GatewayServer::Start(
        {.addresses = {*net::Endpoint::Parse("tcp://127.0.0.1:0")},
         .backends = {{"echo", "ipv4:" + one_server_.address() + "," + two_server_.address()},
                      {"time", time_server_.address()}}});
    EXPECT_TRUE(gateway.ok());
    gateway_ = *std::move(gateway);
    stub_ = pb::ControlService::NewStub(
        TestChannel(std::string(gateway_->uris().at(0).substr(std::string("tcp://").size()))));
    EXPECT_TRUE(Eventually([&] {
      const auto rows = Services();
      return std::all_of(rows.begin(), rows.end(), [](const pb::Service& row) {
        return row.state() == pb::SERVICE_STATE_RUNNING;
      });
    }));
  }
  ~ReplicasControlTest() override { gateway_->Stop(absl::ZeroDuration()); }

  static std::string Reason(const grpc::Status& status) { return ReasonOf(rpc::FromGrpc(status)); }

  std::vector<pb::Service> Services() {
    grpc::ClientContext context;
    pb::ListServicesResponse response;
    EXPECT_TRUE(stub_->ListServices(&context, {}, &response).ok());
    return {response.services().begin(), response.services().end()};
  }
  template <typename Request>
  static Request Of(const std::string& service, const std::string& instance = "") {
    Request request;
    request.set_service(service);
    request.set_instance(instance);
    return request;
  }
  template <typename Response>
  static std::vector<std::string> Instances(const Response& response) {
    std::vector<std::string> instances;
    for (const pb::Service& replica : response.replicas()) instances.push_back(replica.instance());
    return instances;
  }
  // "echo 1 3" for each row of a backend, page by page.
  std::vector<std::string> Connections(int page_size) {
    std::vector<std::string> rows;
    pb::ListConnectionsRequest request;
    request.set_page_size(page_size);
    do {
      grpc::ClientContext context;
      pb::ListConnectionsResponse page;
      EXPECT_TRUE(stub_->ListConnections(&context, request, &page).ok());
      EXPECT_LE(page.connections_size(), page_size);
      for (const pb::Connection& row : page.connections()) {
        if (row.service() == "gateway") continue;
        rows.push_back(absl::StrCat(row.service(), " ", row.instance(), " ", row.id()));
      }
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return rows;
  }
  grpc::Status Close(uint64_t id, const std::string& instance) {
    auto request = Of<pb::CloseConnectionRequest>("echo", instance);
    request.set_connection_id(id);
    grpc::ClientContext context;
    pb::CloseConnectionResponse response;
    return stub_->CloseConnection(&context, request, &response);
  }

  TestControl one_{"echo", "1"};
  TestControl two_{"echo", "2"};
  TestControl time_{"time", "3"};
  TestServer one_server_{{&one_}};
  TestServer two_server_{{&two_}};
  TestServer time_server_{{&time_}};
  // The order of their addresses is that of their rows.
  const bool one_is_first_ = one_server_.target() < two_server_.target();
  const std::vector<std::string> in_order_ =
      one_is_first_ ? std::vector<std::string>{"1", "2"} : std::vector<std::string>{"2", "1"};
  std::unique_ptr<GatewayServer> gateway_;
  std::unique_ptr<pb::ControlService::Stub> stub_;
};

TEST_F(ReplicasControlTest, EachIsARowByNameAndAddress) {
  const auto rows = Services();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].address(), std::min(one_server_.target(), two_server_.target()));
  EXPECT_EQ(rows[1].address(), std::max(one_server_.target(), two_server_.target()));
  EXPECT_EQ(rows[2].address(), time_server_.target());
  EXPECT_EQ(rows[0].name(), "echo");
  EXPECT_EQ(rows[1].name(), "echo");
  EXPECT_EQ(rows[0].instance(), in_order_[0]);
  EXPECT_EQ(rows[1].instance(), in_order_[1]);
}

TEST_F(ReplicasControlTest, OneOrAllAreDescribed) {
  pb::GetServiceResponse all;
  grpc::ClientContext first;
  ASSERT_TRUE(stub_->GetService(&first, Of<pb::GetServiceRequest>("echo"), &all).ok());
  EXPECT_EQ(Instances(all), in_order_);
  EXPECT_EQ(all.service().instance(), in_order_[0]);
  pb::GetServiceResponse second;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->GetService(&context, Of<pb::GetServiceRequest>("echo", "2"), &second).ok());
  EXPECT_THAT(Instances(second), ElementsAre("2"));
  EXPECT_EQ(second.service().address(), two_server_.target());
  grpc::ClientContext unknown;
  EXPECT_EQ(Reason(stub_->GetService(&unknown, Of<pb::GetServiceRequest>("echo", "3"), &second)),
            "INSTANCE_NOT_FOUND");
}

TEST_F(ReplicasControlTest, StopReachesAllOrTheOneNamed) {
  one_.stopped = two_.stopped = true;
  pb::StopServiceResponse response;
  grpc::ClientContext one;
  ASSERT_TRUE(stub_->StopService(&one, Of<pb::StopServiceRequest>("echo", "1"), &response).ok());
  EXPECT_EQ(one_.stops, 1);
  EXPECT_EQ(two_.stops, 0);
  EXPECT_THAT(Instances(response), ElementsAre("1"));
  grpc::ClientContext all;
  ASSERT_TRUE(stub_->StopService(&all, Of<pb::StopServiceRequest>("echo"), &response).ok());
  EXPECT_EQ(one_.stops, 2);
  EXPECT_EQ(two_.stops, 1);
  EXPECT_EQ(Instances(response), in_order_);
  EXPECT_EQ(response.service().instance(), in_order_[0]);
  EXPECT_EQ(response.replicas(1).state(), pb::SERVICE_STATE_STOPPED);
  EXPECT_FALSE(response.replicas(1).address().empty());
}

TEST_F(ReplicasControlTest, FaultsReachAllOrTheOneNamed) {
  auto request = Of<pb::SetFaultsRequest>("echo", "2");
  request.mutable_faults()->set_seed(7);
  pb::SetFaultsResponse response;
  grpc::ClientContext one;
  ASSERT_TRUE(stub_->SetFaults(&one, request, &response).ok());
  EXPECT_EQ(one_.faults_seed, 0u);
  EXPECT_EQ(two_.faults_seed, 7u);
  EXPECT_THAT(Instances(response), ElementsAre("2"));
  request.clear_instance();
  request.mutable_faults()->set_seed(8);
  grpc::ClientContext all;
  ASSERT_TRUE(stub_->SetFaults(&all, request, &response).ok());
  EXPECT_EQ(one_.faults_seed, 8u);
  EXPECT_EQ(two_.faults_seed, 8u);
  EXPECT_EQ(Instances(response), in_order_);
}

TEST_F(ReplicasControlTest, ErrorOfOneIsTheCallsWhenAllHaveAnswered) {
  two_server_.Stop();
  pb::StartServiceResponse response;
  grpc::ClientContext context;
  const grpc::Status status =
      stub_->StartService(&context, Of<pb::StartServiceRequest>("echo"), &response);
  EXPECT_EQ(Reason(status), "BACKEND_UNREACHABLE");
  EXPECT_THAT(status.error_message(), HasSubstr("echo at " + two_server_.target()));
  EXPECT_EQ(one_.starts, 1);
}

TEST_F(ReplicasControlTest, PagesGoThroughAllReplicas) {
  one_.connections = 3;
  two_.connections = 2;
  std::vector<std::string> rows;
  for (const std::string& instance : in_order_) {
    for (int id = 1; id <= (instance == "1" ? 3 : 2); ++id)
      rows.push_back(absl::StrCat("echo ", instance, " ", id));
  }
  rows.emplace_back("time 3 1");
  for (int page_size = 1; page_size <= 7; ++page_size) EXPECT_EQ(Connections(page_size), rows);
}

TEST_F(ReplicasControlTest, PageGoesOnAfterAReplicaThatIsGone) {
  TestControl& first = one_is_first_ ? one_ : two_;
  first.connections = 2;
  pb::ListConnectionsRequest request;
  request.set_page_size(1);
  pb::ListConnectionsResponse page;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->ListConnections(&context, request, &page).ok());
  (one_is_first_ ? one_server_ : two_server_).Stop();
  EXPECT_TRUE(Eventually([&] { return Services()[0].state() == pb::SERVICE_STATE_UNREACHABLE; }));
  request.set_page_token(page.next_page_token());
  grpc::ClientContext next;
  ASSERT_TRUE(stub_->ListConnections(&next, request, &page).ok());
  ASSERT_EQ(page.connections_size(), 1);
  EXPECT_EQ(page.connections(0).instance(), in_order_[1]);
}

// They would otherwise be waited for one after another.
TEST_F(ReplicasControlTest, PageEndsWhenManyDoNotAnswer) {
  one_.frozen = two_.frozen = time_.frozen = true;
  pb::ListConnectionsRequest request;
  pb::ListConnectionsResponse page;
  grpc::ClientContext context;
  ASSERT_TRUE(stub_->ListConnections(&context, request, &page).ok());
  EXPECT_THAT(page.next_page_token(), HasSubstr("time"));
  time_.frozen = false;
  request.set_page_token(page.next_page_token());
  grpc::ClientContext next;
  ASSERT_TRUE(stub_->ListConnections(&next, request, &page).ok());
  ASSERT_EQ(page.connections_size(), 1);
  EXPECT_EQ(page.connections(0).service(), "time");
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(ReplicasControlTest, TheOnlyReplicaThatIsReachableNeedNotBeNamed) {
  two_server_.Stop();
  EXPECT_TRUE(Eventually([&] {
    const auto rows = Services();
    return std::any_of(rows.begin(), rows.end(), [](const pb::Service& row) {
      return row.state() == pb::SERVICE_STATE_UNREACHABLE;
    });
  }));
  EXPECT_TRUE(Eventually([&] { return Close(17, "").ok(); }));
  EXPECT_EQ(one_.closed, 17U);
  one_server_.Stop();
  EXPECT_TRUE(Eventually([&] { return Reason(Close(17, "")) == "BACKEND_UNREACHABLE"; }));
}

TEST_F(ReplicasControlTest, ConnectionIsClosedWhereItIs) {
  EXPECT_EQ(Reason(Close(17, "")), "INSTANCE_REQUIRED");
  EXPECT_EQ(Reason(Close(17, "3")), "INSTANCE_NOT_FOUND");
  EXPECT_EQ(one_.closed + two_.closed, 0U);
  EXPECT_TRUE(Close(17, "2").ok());
  EXPECT_EQ(one_.closed, 0U);
  EXPECT_EQ(two_.closed, 17U);
}

}  // namespace
}  // namespace rawgate::gateway
