// rawgate fault.
#include <string>
#include <vector>

#include "cli/command_testing.h"
#include "cli/fault_text.h"
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

// "echo" with "tcp" and "udp": keeps what it is told.
class FakeControl final : public control::ControlService::Service {
 public:
  FakeControl() {
    echo.set_name("echo");
    echo.set_instance("0123456789ab");
    echo.set_state(control::SERVICE_STATE_RUNNING);
    auto& tcp = *echo.add_listeners();
    tcp.set_name("tcp");
    tcp.set_transport(control::TRANSPORT_TCP);
    auto& udp = *echo.add_listeners();
    udp.set_name("udp");
    udp.set_transport(control::TRANSPORT_UDP);
  }

  grpc::Status ListServices(grpc::ServerContext*, const control::ListServicesRequest*,
                            control::ListServicesResponse* response) override {
    *response->add_services() = echo;
    response->add_services()->set_name("time");
    return grpc::Status::OK;
  }
  grpc::Status GetService(grpc::ServerContext*, const control::GetServiceRequest*,
                          control::GetServiceResponse* response) override {
    *response->mutable_service() = echo;
    return grpc::Status::OK;
  }
  grpc::Status SetFaults(grpc::ServerContext*, const control::SetFaultsRequest* request,
                         control::SetFaultsResponse* response) override {
    requests.push_back(*request);
    if (!end.ok()) return rpc::ToGrpc(end);
    for (auto& listener : *echo.mutable_listeners()) {
      if (!request->listener().empty() && request->listener() != listener.name()) continue;
      *listener.mutable_faults() = request->faults();
      if (request->faults().ByteSizeLong() == 0) listener.clear_faults();
    }
    *response->mutable_service() = echo;
    *response->add_replicas() = echo;
    return grpc::Status::OK;
  }

  control::Service echo;
  std::vector<control::SetFaultsRequest> requests;
  absl::Status end;
};

class FaultCommandTest : public testing::Test {
 protected:
  // What it printed.
  std::string Run(std::vector<std::string> words) {
    words.insert(words.begin(), "fault");
    const CliResult result = gateway_.Run(std::move(words));
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    return result.out;
  }
  std::string RunWrongly(std::vector<std::string> words, int code = 2) {
    words.insert(words.begin(), "fault");
    const CliResult result = gateway_.Run(std::move(words));
    EXPECT_EQ(result.code, code);
    EXPECT_EQ(result.out, "");
    return result.error;
  }
  const control::Faults& Told() { return control_.requests.back().faults(); }

  FakeControl control_;
  FakeGateway gateway_{&control_};
};

TEST_F(FaultCommandTest, OfAListenerThatIsNamedAreItsOwnKinds) {
  EXPECT_EQ(
      Run({"set", "echo/tcp", "--delay", "100ms", "--jitter", "20ms", "--sent", "--seed", "7"}),
      "NAME      SO FAR  FAULTS\n"
      "echo/tcp  -       sent: delay 100ms, jitter 20ms; seed 7\n");
  EXPECT_EQ(control_.requests.back().listener(), "tcp");
  EXPECT_TRUE(Told().has_stream_sent());
  EXPECT_FALSE(Told().has_stream_received());
  EXPECT_FALSE(Told().has_datagrams_sent());
  Run({"set", "echo/udp", "--rate", "64k"});
  EXPECT_EQ(Told().datagrams_received().bytes_per_second(), 65'536u);
  EXPECT_EQ(Told().datagrams_sent().bytes_per_second(), 65'536u);
  EXPECT_FALSE(Told().has_stream_sent());
}

TEST_F(FaultCommandTest, OfAServiceAreBothKinds) {
  Run({"set", "echo", "--delay", "1", "--loss", "5%"});
  EXPECT_EQ(Told().stream_received().delay().seconds(), 1);
  EXPECT_EQ(Told().datagrams_sent().loss(), 0.05);
}

// So that the service says what is wrong.
TEST_F(FaultCommandTest, WhatTheOtherKindAloneHasIsSentAllTheSame) {
  Run({"set", "echo/tcp", "--loss", "0.5"});
  EXPECT_EQ(Told().datagrams_sent().loss(), 0.5);
}

TEST_F(FaultCommandTest, EveryOption) {
  Run({"set", "echo/tcp", "--received", "--split", "3", "--reset-after", "1k", "--fail-first",
       "2"});
  EXPECT_EQ(Told().fail_first(), 2u);
  EXPECT_EQ(Told().stream_received().split_bytes(), 3u);
  EXPECT_EQ(Told().stream_received().cut_after_bytes(), 1024u);
  EXPECT_TRUE(Told().stream_received().cut_with_reset());
  Run({"set", "echo/tcp", "--sent", "--merge", "5", "--cut-after", "7"});
  EXPECT_EQ(Told().stream_sent().merge_bytes(), 5u);
  EXPECT_EQ(Told().stream_sent().cut_after_bytes(), 7u);
  EXPECT_FALSE(Told().stream_sent().cut_with_reset());
  Run({"set", "echo/udp", "--sent", "--loss", "1", "--duplication", "0.5", "--reordering", "25%",
       "--corruption", "100%"});
  EXPECT_EQ(Told().datagrams_sent().loss(), 1);
  EXPECT_EQ(Told().datagrams_sent().duplication(), 0.5);
  EXPECT_EQ(Told().datagrams_sent().reordering(), 0.25);
  EXPECT_EQ(Told().datagrams_sent().corruption(), 1);
}

TEST_F(FaultCommandTest, KeepsWhatWasSet) {
  Run({"set", "echo/tcp", "--received", "--split", "3", "--seed", "7"});
  EXPECT_EQ(Run({"set", "echo/tcp", "--sent", "--cut-after", "1", "--keep"}),
            "NAME      SO FAR  FAULTS\n"
            "echo/tcp  -       received: split 3; sent: cut after 1 byte; seed 7\n");
  EXPECT_THAT(RunWrongly({"set", "echo", "--delay", "1", "--keep"}), HasSubstr("SERVICE/LISTENER"));
}

TEST_F(FaultCommandTest, ShowsAndClears) {
  EXPECT_EQ(Run({}), "no faults\n");
  EXPECT_EQ(Run({"clear"}), "no faults\n");
  EXPECT_TRUE(control_.requests.empty());
  Run({"set", "echo/udp", "--loss", "10%", "--seed", "7"});
  control_.echo.mutable_listeners(1)->mutable_fault_counters()->set_datagrams_lost(12);
  const std::string table =
      "NAME      SO FAR   FAULTS\n"
      "echo/udp  12 lost  loss 10%; seed 7\n";
  EXPECT_EQ(Run({}), table);
  EXPECT_EQ(Run({"show", "echo"}), table);
  EXPECT_EQ(Run({"show", "echo/tcp"}), "no faults\n");
  EXPECT_EQ(Run({"show", "--plain"}), "echo/udp\t\t12 lost\tloss 10%; seed 7\n");
  EXPECT_THAT(Run({"show", "--json"}), HasSubstr("\"datagramsLost\": \"12\""));
  EXPECT_EQ(Run({"clear"}), "no faults\n");
  EXPECT_EQ(control_.requests.back().service(), "echo");
  EXPECT_FALSE(control_.echo.listeners(1).has_faults());
  EXPECT_EQ(Run({"clear", "--json"}), "") << "nothing to do, nothing answered";
  EXPECT_THAT(Run({"clear", "echo", "--json"}), HasSubstr("\"service\":"));
}

TEST_F(FaultCommandTest, OfOneReplica) {
  Run({"clear", "echo/tcp", "--instance", "0123"});
  EXPECT_EQ(control_.requests.back().instance(), "0123456789ab");
}

TEST_F(FaultCommandTest, WhatIsWrongIsSaid) {
  EXPECT_THAT(RunWrongly({"set", "echo/tcp"}), HasSubstr("nothing to do wrong"));
  EXPECT_THAT(RunWrongly({"set", "--delay", "1"}), HasSubstr("required"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--loss", "101%"}),
              HasSubstr("'101%' is not from 0 to 1"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--loss", "nan"}), HasSubstr("'nan' is not from 0 to 1"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--loss", "much"}), HasSubstr("'much' is no chance"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--split", "2M"}), HasSubstr("not from 1 to 1048576"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--delay", "2m"}),
              HasSubstr("--delay: '2m' is out of range: at most 1m"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--delay=-1"}),
              HasSubstr("'-1' is out of range: without a unit it is seconds, at least 0"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--delay", "100"}),
              HasSubstr("'100' is out of range: without a unit it is seconds, at most 1m. "
                        "Did you mean 100ms?"));
  EXPECT_THAT(RunWrongly({"set", "echo", "--jitter", "1e9"}), Not(HasSubstr("Did you mean")));
  EXPECT_THAT(RunWrongly({"nosuch"}), HasSubstr("nosuch"));
  control_.end = Error(absl::StatusCode::kFailedPrecondition, "FAULTS_NOT_ALLOWED",
                       "the echo service was started without --allow_faults");
  EXPECT_THAT(RunWrongly({"set", "echo", "--delay", "1"}, 1), HasSubstr("--allow_faults"));
}

TEST(FaultText, BothWaysAreSaidOnce) {
  control::Faults faults;
  EXPECT_EQ(FaultsText(faults), "");
  faults.set_seed(9);
  EXPECT_EQ(FaultsText(faults), "") << "a seed alone does nothing";
  faults.mutable_stream_received()->set_bytes_per_second(2048);
  faults.mutable_stream_sent()->set_bytes_per_second(2048);
  EXPECT_EQ(FaultsText(faults), "rate 2.0 KiB/s; seed 9");
  faults.mutable_stream_sent()->set_merge_bytes(10);
  faults.set_fail_first(1);
  EXPECT_EQ(FaultsText(faults),
            "fail first 1; received: rate 2.0 KiB/s; sent: rate 2.0 KiB/s, merge 10; seed 9");
}

TEST(FaultText, Hits) {
  control::FaultCounters counters;
  EXPECT_EQ(HitsText(counters), "");
  counters.set_failed_first(1);
  counters.set_connections_cut(2);
  counters.set_datagrams_overflowed(3);
  EXPECT_EQ(HitsText(counters), "1 failed, 2 cut, 3 overflowed");
}

}  // namespace
}  // namespace rawgate::cli
