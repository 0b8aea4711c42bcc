// Connections and calls in progress, as ControlService lists and closes them.
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_servicer_testing.h"

namespace rawgate::rpc {
namespace {

using testing::IsEmpty;

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
