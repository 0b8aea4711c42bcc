#include <string>

#include "cli/command_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

namespace control = rawgate::control::v1;
using testing::HasSubstr;
using testing::StartsWith;

// Two services, of which one is gone; every request is kept.
class FakeControl final : public control::ControlService::Service {
 public:
  FakeControl() {
    echo.set_name("echo");
    echo.set_state(control::SERVICE_STATE_RUNNING);
    *echo.mutable_state_time() = ToProto(absl::Now() - absl::Hours(30));
    echo.mutable_counters()->set_connections_open(3);
    echo.mutable_counters()->set_requests(1234);
    auto& tcp = *echo.add_listeners();
    tcp.set_name("tcp");
    tcp.set_state(control::SERVICE_STATE_RUNNING);
    tcp.set_configured_address("tcp://127.0.0.1:0");
    tcp.set_bound_address("tcp://127.0.0.1:8080");
    auto& udp = *echo.add_listeners();
    udp.set_name("udp");
    udp.set_state(control::SERVICE_STATE_FAILED);
    udp.set_configured_address("udp://127.0.0.1:8080");
    udp.set_last_error("bind udp://127.0.0.1:8080: Address already in use");
  }

  grpc::Status ListServices(grpc::ServerContext*, const control::ListServicesRequest*,
                            control::ListServicesResponse* response) override {
    *response->add_services() = echo;
    auto& time = *response->add_services();
    time.set_name("time");
    time.set_state(control::SERVICE_STATE_UNREACHABLE);
    time.set_last_error("connection refused");
    time.add_listeners()->set_name("udp");
    time.mutable_listeners(0)->set_state(control::SERVICE_STATE_RUNNING);
    return grpc::Status::OK;
  }

  grpc::Status StartService(grpc::ServerContext*, const control::StartServiceRequest* request,
                            control::StartServiceResponse* response) override {
    if (request->service() != "echo") {
      return rpc::ToGrpc(Error(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND",
                               "no service \"" + request->service() + "\""));
    }
    last_listener = request->listener();
    *response->mutable_service() = echo;
    return grpc::Status::OK;
  }

  grpc::Status StopService(grpc::ServerContext*, const control::StopServiceRequest* request,
                           control::StopServiceResponse* response) override {
    last_stop = *request;
    *response->mutable_service() = echo;
    response->mutable_service()->set_state(control::SERVICE_STATE_STOPPED);
    return grpc::Status::OK;
  }

  // One connection a page, three in all.
  grpc::Status ListConnections(grpc::ServerContext*, const control::ListConnectionsRequest* request,
                               control::ListConnectionsResponse* response) override {
    const uint64_t id = request->page_token().empty() ? 1 : std::stoul(request->page_token());
    auto& connection = *response->add_connections();
    connection.set_id(id);
    connection.set_service("echo");
    connection.set_listener("tcp");
    connection.set_peer("tcp://127.0.0.1:40000");
    *connection.mutable_open_time() = ToProto(absl::Now() - absl::Minutes(125));
    connection.set_bytes_received(2048);
    if (id == 2) connection.set_user(user);
    if (id < 3) response->set_next_page_token(std::to_string(id + 1));
    return grpc::Status::OK;
  }

  grpc::Status CloseConnection(grpc::ServerContext*, const control::CloseConnectionRequest* request,
                               control::CloseConnectionResponse*) override {
    if (request->service() == "echo" && request->connection_id() == 17) return grpc::Status::OK;
    return rpc::ToGrpc(
        Error(absl::StatusCode::kNotFound, "CONNECTION_NOT_FOUND", "no such connection"));
  }

  control::Service echo;
  std::string user;
  std::string last_listener;
  control::StopServiceRequest last_stop;
};

class ServicesCommands : public testing::Test {
 protected:
  FakeControl control_;
  FakeGateway gateway_{&control_};
};

TEST_F(ServicesCommands, PsShowsServicesListenersAndProblems) {
  const CliResult result = gateway_.Run({"ps"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.out,
            "NAME      STATE           SINCE  OPEN  REQUESTS  ADDRESS\n"
            "echo      running      1d6h ago     3      1234\n"
            "echo/tcp  running                   0         0  tcp://127.0.0.1:8080\n"
            "echo/udp  failed                    0         0  udp://127.0.0.1:8080\n"
            "time      unreachable               0         0\n"
            "time/udp  unknown                   0         0\n"
            "\n"
            "echo/udp: bind udp://127.0.0.1:8080: Address already in use\n"
            "time: connection refused\n");
}

TEST_F(ServicesCommands, PsAsJson) {
  const CliResult result = gateway_.Run({"ps", "--json"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, StartsWith("{"));
  EXPECT_THAT(result.out, HasSubstr("\"boundAddress\": \"tcp://127.0.0.1:8080\""));
  EXPECT_THAT(result.out, HasSubstr("\"state\": \"SERVICE_STATE_UNREACHABLE\""));
}

TEST_F(ServicesCommands, StartTellsTheAddress) {
  EXPECT_EQ(gateway_.Run({"start", "echo"}).out, "echo running: tcp://127.0.0.1:8080\n");
  EXPECT_EQ(control_.last_listener, "");
  EXPECT_EQ(gateway_.Run({"start", "echo/tcp"}).out, "echo/tcp running: tcp://127.0.0.1:8080\n");
  EXPECT_EQ(control_.last_listener, "tcp");
}

TEST_F(ServicesCommands, StartOfAnUnknownService) {
  const CliResult result = gateway_.Run({"start", "ecoh"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate start: no service \"ecoh\". Did you mean echo? "
            "'rawgate ps' lists services and listeners.\n");
}

TEST_F(ServicesCommands, StopPassesTheGraceOn) {
  EXPECT_EQ(gateway_.Run({"stop", "echo"}).out, "echo stopped\n");
  EXPECT_EQ(control_.last_stop.grace().seconds(), 5);
  gateway_.Run({"stop", "echo/udp", "--grace", "1m30s"});
  EXPECT_EQ(control_.last_stop.listener(), "udp");
  EXPECT_EQ(control_.last_stop.grace().seconds(), 90);
  gateway_.Run({"stop", "echo", "--grace", "0"});
  EXPECT_TRUE(control_.last_stop.has_grace());
  EXPECT_EQ(control_.last_stop.grace().seconds(), 0);
}

TEST_F(ServicesCommands, ConnectionsComeFromAllPages) {
  const CliResult result = gateway_.Run({"connections"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out,
            "NAME      ID  PEER                    AGE  RECEIVED  SENT  REQUESTS\n"
            "echo/tcp   1  tcp://127.0.0.1:40000  2h5m   2.0 KiB   0 B         0\n"
            "echo/tcp   2  tcp://127.0.0.1:40000  2h5m   2.0 KiB   0 B         0\n"
            "echo/tcp   3  tcp://127.0.0.1:40000  2h5m   2.0 KiB   0 B         0\n");
}

TEST_F(ServicesCommands, ConnectionsSayWhenThereAreMore) {
  const CliResult result = gateway_.Run({"connections", "--limit", "2"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.error, "There are more than these 2; --limit sets how many are listed.\n");
}

TEST_F(ServicesCommands, Close) {
  EXPECT_EQ(gateway_.Run({"close", "echo", "17"}).code, 0);
  const CliResult result = gateway_.Run({"close", "echo", "18"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(
      result.error,
      "rawgate close: no such connection. 'rawgate connections' lists those that are open.\n");
}

TEST_F(ServicesCommands, ConnectionsShowWhoseTheyAre) {
  EXPECT_THAT(gateway_.Run({"connections"}).out, testing::Not(HasSubstr("USER")));
  control_.user = "ci";
  const std::string out = gateway_.Run({"connections"}).out;
  EXPECT_THAT(out, HasSubstr("PEER                   USER"));
  EXPECT_THAT(out, HasSubstr("tcp://127.0.0.1:40000  ci  "));
}

TEST_F(ServicesCommands, CloseTakesTheNameThatConnectionsShows) {
  EXPECT_EQ(gateway_.Run({"close", "echo/tcp", "17"}).code, 0);
  EXPECT_THAT(gateway_.Run({"close", "nosuch/grpc", "17"}).error, HasSubstr("rawgate connections"));
}

}  // namespace
}  // namespace rawgate::cli
