#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rawgate::cli {
namespace {

namespace control = rawgate::control::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

control::Event EventOf(uint64_t sequence, const std::string& listener = "tcp") {
  control::Event event;
  event.set_service("echo");
  event.set_instance("i1");
  event.set_listener(listener);
  event.set_sequence(sequence);
  event.set_connection_id(17);
  return event;
}

control::Event Chunk(uint64_t sequence, const std::string& bytes) {
  control::Event event = EventOf(sequence);
  event.mutable_chunk_received()->set_size(bytes.size());
  event.mutable_chunk_received()->set_sample(bytes);
  return event;
}

control::Event Opened(uint64_t sequence, uint64_t id, const std::string& peer) {
  control::Event event = EventOf(sequence);
  event.set_connection_id(id);
  event.mutable_connection_opened()->set_peer(peer);
  return event;
}

control::Event Closed(uint64_t sequence, uint64_t id, control::CloseReason reason) {
  control::Event event = EventOf(sequence);
  event.set_connection_id(id);
  event.mutable_connection_closed()->set_reason(reason);
  return event;
}

// A gateway that tells each watch one of its scripts and then breaks off.
class FakeEvents final : public control::ControlService::Service {
 public:
  grpc::Status WatchEvents(grpc::ServerContext* context, const control::WatchEventsRequest* request,
                           grpc::ServerWriter<control::WatchEventsResponse>* writer) override {
    std::vector<control::WatchEventsResponse> script;
    {
      const std::lock_guard lock(mutex_);
      requests.push_back(*request);
      if (!scripts.empty()) {
        script = std::move(scripts.front());
        scripts.pop_front();
      }
    }
    control::WatchEventsResponse first;
    auto& position = *first.add_positions();
    position.set_service("echo");
    position.set_instance("i1");
    position.set_sequence(10);
    writer->Write(first);
    for (const auto& message : script) writer->Write(message);
    while (stays && !context->IsCancelled()) std::this_thread::yield();
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "Socket closed");
  }

  grpc::Status ListConnections(grpc::ServerContext*, const control::ListConnectionsRequest*,
                               control::ListConnectionsResponse* response) override {
    auto& connection = *response->add_connections();
    connection.set_service("echo");
    connection.set_instance("i1");
    connection.set_id(17);
    connection.set_peer("tcp://192.0.2.7:4000");
    return grpc::Status::OK;
  }

  // One message with these.
  void Script(std::vector<control::Event> events) {
    control::WatchEventsResponse message;
    for (auto& event : events) *message.add_events() = std::move(event);
    scripts.push_back({message});
  }

  std::deque<std::vector<control::WatchEventsResponse>> scripts;
  std::vector<control::WatchEventsRequest> requests;
  // Ends when the client does.
  bool stays = false;

 private:
  std::mutex mutex_;
};

class WatchCommand : public testing::Test {
 protected:
  // The lines of `rawgate watch --no-reconnect` and these words, without their times.
  std::vector<std::string> Lines(std::vector<std::string> words) {
    words.insert(words.begin(), {"watch", "--no-reconnect"});
    std::vector<std::string> lines =
        absl::StrSplit(gateway_.Run(std::move(words)).out, '\n', absl::SkipEmpty());
    for (std::string& line : lines) {
      if (line[0] != ' ') line.erase(0, 13);
    }
    return lines;
  }

  FakeEvents events_;
  FakeGateway gateway_{&events_};
};

TEST_F(WatchCommand, ShowsEventsUntilTheGatewayGoes) {
  events_.Script({Chunk(11, "hello"), Chunk(12, "world")});
  events_.scripts[0][0].add_lost()->set_count(2);
  const CliResult result = gateway_.Run({"watch", "echo", "--chunks", "--no-reconnect"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, HasSubstr("chunk    5 bytes  \"hello\"\n"));
  EXPECT_THAT(result.out, HasSubstr("chunk    5 bytes  \"world\"\n"));
  EXPECT_THAT(result.out, HasSubstr("2 events not shown"));
  EXPECT_EQ(result.error, "watching echo; Ctrl-C ends\nrawgate watch: lost the gateway at " +
                              gateway_.target() + ": Socket closed.\n");
  ASSERT_THAT(events_.requests, SizeIs(1));
  EXPECT_TRUE(events_.requests[0].include_chunks());
  EXPECT_EQ(events_.requests[0].sample_bytes(), 32u);
  EXPECT_THAT(events_.requests[0].services(), ElementsAre("echo"));
}

TEST_F(WatchCommand, AsJson) {
  events_.Script({Chunk(11, "hello")});
  events_.scripts[0][0].add_lost()->set_count(2);
  const CliResult result = gateway_.Run({"watch", "--json", "--sample", "0", "--no-reconnect"});
  EXPECT_THAT(result.out, StartsWith("{\"lost\":{"));
  EXPECT_THAT(result.out, HasSubstr("\"chunkReceived\":{\"size\":\"5\",\"sample\":\"aGVsbG8=\"}"));
  EXPECT_EQ(events_.requests[0].sample_bytes(), 0u);
}

TEST_F(WatchCommand, AsFields) {
  events_.Script({Chunk(11, "a\tb")});
  const CliResult result = gateway_.Run({"watch", "--plain", "--no-reconnect"});
  EXPECT_EQ(result.out, "1970-01-01T00:00:00Z\techo/tcp\ti1\t17\tchunk\t3 bytes\t\"a\\tb\"\n");
}

TEST_F(WatchCommand, GoesOnBehindTheLastEventWhenTheGatewayWasAway) {
  events_.Script({Chunk(11, "one"), Chunk(12, "two")});
  events_.Script({});
  events_.Script({Chunk(13, "three")});
  const CliResult result = gateway_.Run({"watch", "--chunks", "-n", "3"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("\"three\""));
  ASSERT_THAT(events_.requests, SizeIs(3));
  EXPECT_THAT(events_.requests[0].after(), IsEmpty());
  ASSERT_THAT(events_.requests[1].after(), SizeIs(1));
  EXPECT_EQ(events_.requests[1].after(0).instance(), "i1");
  EXPECT_EQ(events_.requests[1].after(0).sequence(), 12u);
  EXPECT_EQ(events_.requests[2].after(0).sequence(), 12u);
  EXPECT_THAT(result.error, HasSubstr("Socket closed. Trying again.\n"
                                      "rawgate watch: connected again"));
}

TEST_F(WatchCommand, AProcessThatIsGoneIsNotAskedForAgain) {
  events_.Script({Chunk(11, "one")});
  auto& lost = *events_.scripts[0][0].add_lost();
  lost.set_service("echo");
  lost.set_instance("i1");
  events_.scripts[0][0].clear_events();
  events_.Script({Chunk(1, "two")});
  gateway_.Run({"watch", "--chunks", "-n", "1"});
  ASSERT_THAT(events_.requests, SizeIs(2));
  EXPECT_THAT(events_.requests[1].after(), IsEmpty());
}

TEST_F(WatchCommand, EndsAfterSoManyEvents) {
  events_.stays = true;
  events_.Script({Chunk(11, "one"), Chunk(12, "two"), Chunk(13, "three")});
  const CliResult result = gateway_.Run({"watch", "--json", "-n2"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(std::vector<std::string>(absl::StrSplit(result.out, '\n', absl::SkipEmpty())),
              SizeIs(2));
}

TEST_F(WatchCommand, EndsInTime) {
  events_.stays = true;
  EXPECT_EQ(gateway_.Run({"watch", "--timeout", "10ms"}).code, 0);
  const CliResult result = gateway_.Run({"watch", "--timeout", "10ms", "-n", "1"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("only 0 of 1 event within 10ms"));
}

TEST_F(WatchCommand, SamplesInHex) {
  events_.Script({Chunk(11, std::string("hello\0world, 0123456", 20))});
  events_.scripts[0][0].mutable_events(0)->mutable_chunk_received()->set_size(1000);
  EXPECT_THAT(Lines({"--hex"}),
              ElementsAre("echo/tcp      #17  chunk    1000 bytes",
                          "  0000  68 65 6c 6c 6f 00 77 6f  72 6c 64 2c 20 30 31 32  "
                          "|hello.world, 012|",
                          "  0010  33 34 35 36                                       |3456|",
                          "  ...   980 more"));
  EXPECT_TRUE(events_.requests[0].include_chunks());
}

TEST_F(WatchCommand, OnlyOfAListener) {
  events_.Script({EventOf(11, "tcp"), EventOf(12, "tcp-2"), EventOf(13, "")});
  EXPECT_THAT(Lines({"echo/tcp-2"}), ElementsAre(StartsWith("echo/tcp-2")));
  EXPECT_THAT(events_.requests[0].services(), ElementsAre("echo"));
}

TEST_F(WatchCommand, OnlyOfAKind) {
  events_.Script(
      {Opened(11, 1, "tcp://1"), Chunk(12, "x"), Closed(13, 1, control::CLOSE_REASON_RESET)});
  EXPECT_THAT(Lines({"--kind", "opened,closed"}),
              ElementsAre(HasSubstr("opened"), HasSubstr("closed")));
  EXPECT_FALSE(events_.requests[0].include_chunks());
  gateway_.Run({"watch", "--no-reconnect", "--kind", "chunk", "echo"});
  EXPECT_TRUE(events_.requests[1].include_chunks());
  const CliResult result = gateway_.Run({"watch", "--kind", "nosuch"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.error, HasSubstr("opened"));
}

TEST_F(WatchCommand, OnlyOfAPeer) {
  events_.Script({Opened(11, 1, "tcp://192.0.2.9:4000"), Opened(12, 2, "tcp://198.51.100.1:4000"),
                  Chunk(13, "of one that was there before"), Closed(14, 1, {}), Closed(15, 2, {}),
                  Closed(16, 1, {})});
  EXPECT_THAT(
      Lines({"--peer", "192.0.2."}),
      ElementsAre(HasSubstr("#1  opened"), HasSubstr("#17  chunk"), HasSubstr("#1  closed")));
}

TEST_F(WatchCommand, OnlyOfAConnection) {
  events_.Script({Opened(11, 1, "tcp://1"), Opened(12, 2, "tcp://2")});
  EXPECT_THAT(Lines({"--connection", "2"}), ElementsAre(HasSubstr("#2  opened")));
}

TEST_F(WatchCommand, OnlyFailures) {
  control::Event served = EventOf(13);
  served.mutable_request_served()->set_error_code("NOT_FOUND");
  events_.Script({Closed(11, 1, control::CLOSE_REASON_PEER_CLOSED),
                  Closed(12, 2, control::CLOSE_REASON_RESET), served});
  EXPECT_THAT(Lines({"--errors"}),
              ElementsAre(HasSubstr("closed   reset"), HasSubstr("NOT_FOUND")));
}

TEST_F(WatchCommand, OnlyWhatHasTheText) {
  events_.Script({Chunk(11, "Hello"), Chunk(12, "world")});
  EXPECT_THAT(Lines({"--match", "hELLO"}), ElementsAre(HasSubstr("Hello")));
}

}  // namespace
}  // namespace rawgate::cli
