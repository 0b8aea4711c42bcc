// Commands before a service that has two replicas.
#include "cli/replicas.h"

#include <string>
#include <vector>

#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

namespace control = rawgate::control::v1;
using testing::HasSubstr;

control::Service Echo(const std::string& instance, const std::string& address) {
  control::Service service;
  service.set_name("echo");
  service.set_instance(instance);
  service.set_address(address);
  service.set_state(control::SERVICE_STATE_RUNNING);
  auto& tcp = *service.add_listeners();
  tcp.set_name("tcp");
  tcp.set_state(control::SERVICE_STATE_RUNNING);
  tcp.set_bound_address("tcp://" + address.substr(5, address.size() - 7) + ":80");
  return service;
}

class FakeReplicas final : public control::ControlService::Service {
 public:
  grpc::Status ListServices(grpc::ServerContext*, const control::ListServicesRequest*,
                            control::ListServicesResponse* response) override {
    *response->add_services() = one;
    *response->add_services() = two;
    auto& time = *response->add_services();
    time.set_name("time");
    time.set_instance("3f9a99990a0b0c0d");
    time.set_address("ipv4:10.0.0.5:1");
    time.set_state(control::SERVICE_STATE_RUNNING);
    return grpc::Status::OK;
  }
  grpc::Status StopService(grpc::ServerContext*, const control::StopServiceRequest* request,
                           control::StopServiceResponse* response) override {
    last_instance = request->instance();
    for (control::Service replica : std::vector<control::Service>{one, two}) {
      if (!last_instance.empty() && replica.instance() != last_instance) continue;
      replica.set_state(control::SERVICE_STATE_STOPPED);
      *response->add_replicas() = replica;
    }
    *response->mutable_service() = response->replicas(0);
    return grpc::Status::OK;
  }
  grpc::Status StartService(grpc::ServerContext*, const control::StartServiceRequest* request,
                            control::StartServiceResponse* response) override {
    last_instance = request->instance();
    *response->add_replicas() = one;
    *response->mutable_service() = one;
    return grpc::Status::OK;
  }
  grpc::Status ListConnections(grpc::ServerContext*, const control::ListConnectionsRequest*,
                               control::ListConnectionsResponse* response) override {
    for (const char* service : {"echo", "time"}) {
      auto& row = *response->add_connections();
      row.set_service(service);
      row.set_listener("tcp");
      row.set_id(7);
      row.set_instance(one.instance());
      row.set_peer("tcp://127.0.0.1:40000");
    }
    return grpc::Status::OK;
  }
  grpc::Status CloseConnection(grpc::ServerContext*, const control::CloseConnectionRequest* request,
                               control::CloseConnectionResponse*) override {
    last_instance = request->instance();
    return grpc::Status::OK;
  }
  grpc::Status WatchEvents(grpc::ServerContext*, const control::WatchEventsRequest*,
                           grpc::ServerWriter<control::WatchEventsResponse>* writer) override {
    control::WatchEventsResponse response;
    for (const control::Service& replica : std::vector<control::Service>{one, two}) {
      auto& position = *response.add_positions();
      position.set_service("echo");
      position.set_instance(replica.instance());
    }
    writer->Write(response);
    response.Clear();
    control::Event event;
    event.set_service("echo");
    event.set_listener("tcp");
    event.set_instance(two.instance());
    event.mutable_chunk_received()->set_size(5);
    *response.add_events() = event;
    writer->Write(response);
    response.Clear();
    response.add_lost()->set_service("echo");
    response.mutable_lost(0)->set_instance(one.instance());
    *response.add_events() = event;
    writer->Write(response);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  }

  const control::Service one = Echo("3f9a1c2b00000001", "ipv4:10.0.0.3:1");
  control::Service two = Echo("3f9a77d100000002", "ipv4:10.0.0.4:1");
  std::string last_instance = "none";
};

class ReplicasTest : public testing::Test {
 protected:
  FakeReplicas control_;
  FakeGateway gateway_{&control_};
};

TEST_F(ReplicasTest, PsTellsThemApart) {
  control_.two.set_last_error("out of luck");
  EXPECT_EQ(gateway_.Run({"ps"}).out,
            "NAME      INSTANCE  STATE    SINCE  OPEN  REQUESTS  ADDRESS\n"
            "echo      3f9a1c2b  running            0         0  ipv4:10.0.0.3:1\n"
            "echo/tcp  3f9a1c2b  running            0         0  tcp://10.0.0.3:80\n"
            "echo      3f9a77d1  running            0         0  ipv4:10.0.0.4:1\n"
            "echo/tcp  3f9a77d1  running            0         0  tcp://10.0.0.4:80\n"
            "time                running            0         0\n"
            "\n"
            "echo at ipv4:10.0.0.4:1: out of luck\n");
  const std::string json = gateway_.Run({"ps", "--json"}).out;
  EXPECT_THAT(json, HasSubstr("\"instance\": \"3f9a77d100000002\""));
  EXPECT_THAT(json, HasSubstr("\"address\": \"ipv4:10.0.0.5:1\""));
}

TEST_F(ReplicasTest, StopsAllOrOne) {
  EXPECT_EQ(gateway_.Run({"stop", "echo"}).out, "echo 3f9a1c2b stopped\necho 3f9a77d1 stopped\n");
  EXPECT_EQ(control_.last_instance, "");
  EXPECT_EQ(gateway_.Run({"stop", "echo", "--instance", "3f9a7"}).out, "echo 3f9a77d1 stopped\n");
  EXPECT_EQ(control_.last_instance, "3f9a77d100000002");
}

TEST_F(ReplicasTest, StartsTheOneThatIsNamed) {
  EXPECT_EQ(gateway_.Run({"start", "echo/tcp", "--instance", "3f9a1"}).out,
            "echo/tcp 3f9a1c2b running: tcp://10.0.0.3:80\n");
  EXPECT_EQ(control_.last_instance, "3f9a1c2b00000001");
}

TEST_F(ReplicasTest, BeginningOfSeveralIsRefused) {
  const CliResult result = gateway_.Run({"stop", "echo", "--instance", "3f9a"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate stop: '3f9a' is the beginning of several instances of echo: "
            "3f9a1c2b00000001, 3f9a77d100000002\n");
  EXPECT_EQ(control_.last_instance, "none");
}

TEST_F(ReplicasTest, ConnectionsAreTheirs) {
  const std::string out = gateway_.Run({"connections"}).out;
  EXPECT_THAT(out, HasSubstr("NAME      INSTANCE  ID  PEER"));
  EXPECT_THAT(out, HasSubstr("echo/tcp  3f9a1c2b   7  tcp://127.0.0.1:40000"));
  EXPECT_THAT(out, HasSubstr("time/tcp             7  tcp://127.0.0.1:40000"));
  EXPECT_EQ(gateway_.Run({"close", "echo", "7", "--instance", "3f9a1c2b"}).code, 0);
  EXPECT_EQ(control_.last_instance, "3f9a1c2b00000001");
  // The gateway says whether there is one of that name.
  gateway_.Run({"close", "echo", "7", "--instance", "nosuch"});
  EXPECT_EQ(control_.last_instance, "nosuch");
}

TEST_F(ReplicasTest, WatchNamesThemWhileThereAreSeveral) {
  const std::string out = gateway_.Run({"watch", "--no-reconnect"}).out;
  EXPECT_THAT(out, HasSubstr("echo/tcp@3f9a77d1"));
  EXPECT_THAT(out, HasSubstr("echo@3f9a1c2b"));
  EXPECT_THAT(out, HasSubstr("echo/tcp           chunk    5 bytes"));
}

TEST(WatchedReplicasTest, ServiceThatComesBackIsStillTheOnlyOne) {
  WatchedReplicas replicas;
  control::WatchEventsResponse message;
  const auto set = [](auto& told, const std::string& instance) {
    told.set_service("echo");
    told.set_instance(instance);
  };
  set(*message.add_positions(), "11111111aaaa");
  replicas.Take(message);
  EXPECT_EQ(replicas.NameOf("echo", "11111111aaaa"), "");
  message.Clear();
  set(*message.add_lost(), "11111111aaaa");
  set(*message.add_positions(), "22222222bbbb");
  replicas.Take(message);
  EXPECT_EQ(replicas.NameOf("echo", "22222222bbbb"), "");
  message.Clear();
  set(*message.add_positions(), "33333333cccc");
  replicas.Take(message);
  EXPECT_EQ(replicas.NameOf("echo", "22222222bbbb"), "22222222");
  EXPECT_EQ(replicas.NameOf("time", "22222222bbbb"), "");
}

}  // namespace
}  // namespace rawgate::cli
