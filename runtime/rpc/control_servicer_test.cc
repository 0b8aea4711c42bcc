#include "runtime/rpc/control_servicer.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {
namespace {

namespace pb = control::v1;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class ControlServicerTest : public testing::Test {
 protected:
  ControlServicerTest() { server_.Serve(); }

  // Calls `method` of the stub with `request`.
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (pb::ControlService::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, Response*),
                    const Request& request, Response* response) {
    grpc::ClientContext context;
    return FromGrpc((server_.stub.get()->*method)(&context, request, response));
  }
  absl::Status Start(const std::string& listener, pb::Service* service) {
    pb::StartServiceRequest request;
    request.set_service("fake");
    request.set_listener(listener);
    pb::StartServiceResponse response;
    const absl::Status status = Call(&pb::ControlService::Stub::StartService, request, &response);
    *service = response.service();
    return status;
  }
  absl::Status Stop(const pb::StopServiceRequest& request, pb::Service* service) {
    pb::StopServiceResponse response;
    const absl::Status status = Call(&pb::ControlService::Stub::StopService, request, &response);
    *service = response.service();
    return status;
  }
  static pb::StopServiceRequest StopRequest(const std::string& listener, absl::Duration grace) {
    pb::StopServiceRequest request;
    request.set_service("fake");
    request.set_listener(listener);
    request.mutable_grace()->set_seconds(absl::ToInt64Seconds(grace));
    return request;
  }
  absl::Status List(const pb::ListConnectionsRequest& request,
                    pb::ListConnectionsResponse* response) {
    return Call(&pb::ControlService::Stub::ListConnections, request, response);
  }

  ControlTestServer server_;
};

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

TEST_F(ControlServicerTest, ListsRawConnectionsAndTypedCallsInOrder) {
  uint64_t first = 0, last = 0;
  server_.loop_thread.Run([&] { first = server_.sized->Connect(); });
  // A call is what gRPC has bound to a context; the row asks it for its peer.
  pb::ListConnectionsResponse response;
  server_.loop_thread.Run([&] { last = server_.tcp->Connect(); });
  ASSERT_TRUE(List(pb::ListConnectionsRequest(), &response).ok());
  ASSERT_EQ(response.connections_size(), 2);
  EXPECT_EQ(response.connections(0).id(), first);
  EXPECT_EQ(response.connections(0).service(), "fake");
  EXPECT_EQ(response.connections(0).instance(), server_.service.instance());
  EXPECT_EQ(response.connections(0).listener(), "sized");
  EXPECT_EQ(response.connections(0).transport(), pb::TRANSPORT_TCP);
  EXPECT_EQ(response.connections(0).peer(), "tcp://127.0.0.1:1");
  EXPECT_GT(response.connections(0).open_time().seconds(), 0);
  EXPECT_EQ(response.connections(1).id(), last);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(ControlServicerTest, ListsInPages) {
  std::vector<uint64_t> ids;
  server_.loop_thread.Run([&] {
    for (int i = 0; i < 10; ++i)
      ids.push_back((i % 3 == 0 ? server_.sized : server_.tcp)->Connect());
  });
  for (int page_size = 1; page_size <= 11; ++page_size) {
    pb::ListConnectionsRequest request;
    request.set_service("fake");
    request.set_page_size(page_size);
    std::vector<uint64_t> listed;
    int pages = 0;
    do {
      pb::ListConnectionsResponse response;
      ASSERT_TRUE(List(request, &response).ok());
      ASSERT_LE(response.connections_size(), page_size);
      for (const pb::Connection& connection : response.connections())
        listed.push_back(connection.id());
      request.set_page_token(response.next_page_token());
      ++pages;
    } while (!request.page_token().empty());
    EXPECT_EQ(listed, ids) << "with pages of " << page_size;
    EXPECT_EQ(pages, (10 + page_size - 1) / page_size);
  }
}

TEST_F(ControlServicerTest, PagesAreBoundedAndHaveADefault) {
  server_.loop_thread.Run([&] {
    for (int i = 0; i < 1001; ++i) server_.tcp->Connect();
  });
  pb::ListConnectionsRequest request;
  pb::ListConnectionsResponse response;
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.connections_size(), 100);
  request.set_page_size(1'000'000);
  ASSERT_TRUE(List(request, &response).ok());
  EXPECT_EQ(response.connections_size(), 1000);
  request.set_page_size(-1);
  EXPECT_EQ(ReasonOf(List(request, &response)), "BAD_PAGE_SIZE");
}

TEST_F(ControlServicerTest, RefusesAPageTokenThatIsNotItsOwn) {
  pb::ListConnectionsRequest request;
  request.set_page_token("bogus");
  pb::ListConnectionsResponse response;
  const absl::Status status = List(request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "INVALID_PAGE_TOKEN");
}

TEST_F(ControlServicerTest, ClosesAConnection) {
  pb::CloseConnectionRequest request;
  request.set_service("fake");
  server_.loop_thread.Run([&] { request.set_connection_id(server_.tcp->Connect()); });
  pb::CloseConnectionResponse response;
  ASSERT_TRUE(Call(&pb::ControlService::Stub::CloseConnection, request, &response).ok());
  server_.loop_thread.Run([&] { EXPECT_THAT(server_.tcp->rows, IsEmpty()); });

  const absl::Status status = Call(&pb::ControlService::Stub::CloseConnection, request, &response);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(status), "CONNECTION_NOT_FOUND");
}

// A typed service beside ControlService, whose one call lasts until it is cancelled.
class Sleeper final : public pb::ControlService::CallbackService {
 public:
  explicit Sleeper(Admission& admission) : admission_(admission) {}

 private:
  class Sleep : public grpc::ServerUnaryReactor {
   public:
    explicit Sleep(Call call) : call_(std::move(call)) {}
    void OnCancel() override { Finish(call_.End(absl::CancelledError("cancelled"))); }
    void OnDone() override { delete this; }

   private:
    Call call_;
  };
  grpc::ServerUnaryReactor* GetService(grpc::CallbackServerContext* context,
                                       const pb::GetServiceRequest*,
                                       pb::GetServiceResponse*) override {
    return new Sleep(admission_.Admit(*context, "Sleep").value());
  }
  Admission& admission_;
};

TEST_F(ControlServicerTest, ListsAndClosesTypedCallsToo) {
  Sleeper sleeper(server_.admission);
  auto typed = Server::Start(*net::Endpoint::Parse("tcp://127.0.0.1:0"), {&sleeper});
  ASSERT_TRUE(typed.ok()) << typed.status();
  const auto stub = pb::ControlService::NewStub(grpc::CreateChannel(
      GrpcAddress(*net::Endpoint::Parse((*typed)->uri())), grpc::InsecureChannelCredentials()));
  absl::Status slept;
  std::thread client([&] {
    grpc::ClientContext context;
    pb::GetServiceResponse response;
    slept = FromGrpc(stub->GetService(&context, pb::GetServiceRequest(), &response));
  });

  pb::ListConnectionsResponse list;
  ASSERT_TRUE(Eventually([&] {
    return List(pb::ListConnectionsRequest(), &list).ok() && list.connections_size() == 1;
  }));
  const pb::Connection& row = list.connections(0);
  EXPECT_EQ(row.listener(), "rpc");
  EXPECT_EQ(row.transport(), pb::TRANSPORT_RPC);
  EXPECT_THAT(row.peer(), testing::StartsWith("tcp://127.0.0.1:"));

  pb::CloseConnectionRequest close;
  close.set_service("fake");
  close.set_connection_id(row.id());
  pb::CloseConnectionResponse closed;
  EXPECT_TRUE(Call(&pb::ControlService::Stub::CloseConnection, close, &closed).ok());
  client.join();
  EXPECT_EQ(slept.code(), absl::StatusCode::kCancelled);
  (*typed)->Shutdown(absl::Now() + absl::Seconds(5));
}

}  // namespace
}  // namespace rawgate::rpc
