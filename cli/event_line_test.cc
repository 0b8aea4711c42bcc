#include "cli/event_line.h"

#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using control::v1::Event;

const absl::Time kTime = absl::FromUnixMillis(1'763'906'601'123);

Event EchoEvent() {
  Event event;
  event.set_service("echo");
  event.set_listener("tcp");
  event.set_connection_id(17);
  *event.mutable_time() = ToProto(kTime);
  return event;
}

// The line without its time, whose zone is the machine's.
std::string Line(const Event& event, int columns = 0) {
  const std::string line = EventLine(event, {.columns = columns});
  EXPECT_EQ(line.substr(0, 13), ClockTime(kTime) + " ");
  EXPECT_EQ(line.substr(8, 4), ".123");
  return line.substr(13);
}

TEST(EventLine, ChunkWithItsSizeAndSample) {
  Event event = EchoEvent();
  event.mutable_chunk_received()->set_size(10);
  event.mutable_chunk_received()->set_sample("helloworld");
  EXPECT_EQ(Line(event), "echo/tcp      #17  chunk    10 bytes  \"helloworld\"");
}

TEST(EventLine, SampleIsSafeForATerminalAndFitsIt) {
  Event event = EchoEvent();
  event.mutable_chunk_received()->set_size(60);
  event.mutable_chunk_received()->set_sample("\x1b]0;title\x07 and a good deal more of text\n");
  EXPECT_EQ(Line(event, 80),
            "echo/tcp      #17  chunk    60 bytes  \"\\x1b]0;title\\x07 and a g\"...");
  EXPECT_LE(EventLine(event, {.columns = 80}).size(), 80u);
}

TEST(EventLine, OpenedAndClosed) {
  Event event = EchoEvent();
  event.mutable_connection_opened()->set_peer("tcp://127.0.0.1:51234");
  EXPECT_EQ(Line(event), "echo/tcp      #17  opened   tcp://127.0.0.1:51234");

  auto& closed = *event.mutable_connection_closed();
  closed.set_reason(control::v1::CLOSE_REASON_PEER_CLOSED);
  closed.set_bytes_received(10);
  closed.set_bytes_sent(10);
  closed.set_requests(1);
  EXPECT_EQ(Line(event), "echo/tcp      #17  closed   peer closed  in 10  out 10  req 1");
  closed.set_reason(control::v1::CLOSE_REASON_PROTOCOL_ERROR);
  closed.set_detail("length -5");
  EXPECT_EQ(Line(event),
            "echo/tcp      #17  closed   protocol error (length -5)  in 10  out 10  req 1");
}

TEST(EventLine, Datagrams) {
  Event event = EchoEvent();
  event.set_service("time");
  event.set_listener("udp-2");
  event.set_connection_id(0);
  auto& datagram = *event.mutable_datagram_received();
  datagram.set_peer("udp://[::1]:4000");
  datagram.set_size(5);
  datagram.set_sample("%H:%M");
  EXPECT_EQ(Line(event), "time/udp-2         datagram udp://[::1]:4000  5 bytes  \"%H:%M\"");
  datagram.set_dropped("rate");
  EXPECT_EQ(Line(event),
            "time/udp-2         datagram udp://[::1]:4000  5 bytes  not served: rate  \"%H:%M\"");
  event.mutable_datagram_sent()->set_peer("udp://[::1]:4000");
  event.mutable_datagram_sent()->set_size(1);
  EXPECT_EQ(Line(event), "time/udp-2         answer   udp://[::1]:4000  1 byte");
}

TEST(EventLine, RequestsCommandsTransfers) {
  Event event = EchoEvent();
  event.mutable_request_served()->set_summary("run: uname -a");
  *event.mutable_request_served()->mutable_duration() = ToProto(absl::Milliseconds(12));
  EXPECT_EQ(Line(event), "echo/tcp      #17  request  run: uname -a  12ms");
  event.mutable_request_served()->set_error_code("NOT_FOUND");
  EXPECT_EQ(Line(event), "echo/tcp      #17  request  run: uname -a  12ms  NOT_FOUND");

  event.mutable_command_started()->set_job_id("j1");
  event.mutable_command_started()->set_pid(4711);
  event.mutable_command_started()->set_summary("sleep 5");
  EXPECT_EQ(Line(event), "echo/tcp      #17  started  job j1, pid 4711: sleep 5");
  event.mutable_command_ended()->set_job_id("j1");
  event.mutable_command_ended()->set_outcome("exited 0");
  *event.mutable_command_ended()->mutable_duration() = ToProto(absl::Seconds(5));
  EXPECT_EQ(Line(event), "echo/tcp      #17  ended    job j1: exited 0  5.0s");

  event.mutable_transfer_progress()->set_filename("a\nb");
  event.mutable_transfer_progress()->set_upload(true);
  event.mutable_transfer_progress()->set_transferred_bytes(512);
  event.mutable_transfer_progress()->set_total_bytes(1024);
  EXPECT_EQ(Line(event), "echo/tcp      #17  transfer upload a\\nb  50% of 1.0 KiB");
}

TEST(EventLine, States) {
  Event event = EchoEvent();
  event.set_connection_id(0);
  event.mutable_listener_state_changed()->set_state(control::v1::SERVICE_STATE_RUNNING);
  event.mutable_listener_state_changed()->set_bound_address("tcp://127.0.0.1:8080");
  EXPECT_EQ(Line(event), "echo/tcp           listener running  tcp://127.0.0.1:8080");
  event.set_listener("");
  event.mutable_reachability_changed()->set_detail("connection refused");
  EXPECT_EQ(Line(event), "echo               gateway  unreachable: connection refused");
}

TEST(EventLine, Faults) {
  Event event = EchoEvent();
  auto& hit = *event.mutable_fault_hit();
  hit.set_fault("reset");
  hit.set_peer("tcp://127.0.0.1:51234");
  EXPECT_EQ(Line(event),
            "echo/tcp      #17  fault    reset of a connection to tcp://127.0.0.1:51234");
  hit.set_received(true);
  EXPECT_EQ(Line(event),
            "echo/tcp      #17  fault    reset of a connection from tcp://127.0.0.1:51234");
}

TEST(EventLine, UnknownKindsAreShownAllTheSame) {
  EXPECT_EQ(Line(EchoEvent()),
            "echo/tcp      #17  other    an event that this version does not know");
}

TEST(ProgressThinning, ShowsOneLineASecondAndTheLast) {
  ProgressThinning thinning;
  Event event = EchoEvent();
  auto& progress = *event.mutable_transfer_progress();
  progress.set_filename("a");
  progress.set_total_bytes(100);
  const auto shows = [&](uint64_t transferred, absl::Duration after) {
    progress.set_transferred_bytes(transferred);
    *event.mutable_time() = ToProto(kTime + after);
    return thinning.Shows(event);
  };
  EXPECT_TRUE(shows(1, absl::ZeroDuration()));
  EXPECT_FALSE(shows(2, absl::Milliseconds(999)));
  EXPECT_TRUE(shows(3, absl::Milliseconds(1000)));
  EXPECT_FALSE(shows(4, absl::Milliseconds(1001)));
  progress.set_filename("b");
  EXPECT_TRUE(shows(4, absl::Milliseconds(1002))) << "another transfer";
  progress.set_filename("a");
  EXPECT_TRUE(shows(100, absl::Milliseconds(1003))) << "the end";
  EXPECT_TRUE(shows(1, absl::Milliseconds(1004))) << "the next one of that name";
  Event other = EchoEvent();
  other.mutable_chunk_received();
  EXPECT_TRUE(thinning.Shows(other));
  EXPECT_TRUE(thinning.Shows(other));
}

TEST(EventsLostLine, TellsHowMany) {
  control::v1::EventsLost lost;
  lost.set_service("echo");
  lost.set_count(120);
  EXPECT_EQ(EventsLostLine(lost, kTime, {}).substr(13),
            "echo               lost     120 events not shown: this watcher was too slow");
  lost.set_count(0);
  EXPECT_EQ(EventsLostLine(lost, kTime, {}).substr(13),
            "echo               lost     events of an earlier process are gone");
}

}  // namespace
}  // namespace rawgate::cli
