#include "cli/event_kind.h"

#include "cli/event_line.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using control::v1::Event;
using testing::HasSubstr;

TEST(EventKind, EveryOneOfTheProtoHasAName) {
  const auto* kinds = Event::descriptor()->FindOneofByName("kind");
  ASSERT_NE(kinds, nullptr);
  for (int i = 0; i < kinds->field_count(); ++i) {
    EXPECT_NE(EventKindName(static_cast<Event::KindCase>(kinds->field(i)->number())), "other")
        << kinds->field(i)->name();
  }
  EXPECT_EQ(EventKindNames().size(), static_cast<size_t>(kinds->field_count()));
  EXPECT_EQ(EventKindName(Event::KIND_NOT_SET), "other");
}

TEST(EventKind, Faults) {
  Event event;
  event.mutable_fault_hit()->set_fault("loss");
  event.mutable_fault_hit()->set_peer("udp://127.0.0.1:4000");
  event.mutable_fault_hit()->set_received(true);
  EXPECT_THAT(EventLine(event, {}),
              HasSubstr("fault    loss of a datagram from udp://127.0.0.1:4000"));
  event.mutable_fault_hit()->set_fault("cut");
  event.mutable_fault_hit()->set_peer("tcp://127.0.0.1:4000");
  event.mutable_fault_hit()->set_received(false);
  EXPECT_THAT(EventLine(event, {}),
              HasSubstr("fault    cut of a connection to tcp://127.0.0.1:4000"));
  EXPECT_FALSE(TellsOfFailure(event));
}

TEST(EventKind, ColorsSayWhatAKindMeans) {
  Event event;
  event.mutable_connection_opened();
  EXPECT_THAT(EventLine(event, {.colored = true}), HasSubstr("\x1b[32mopened\x1b[0m   "));
  event.mutable_connection_closed()->set_reason(control::v1::CLOSE_REASON_PEER_CLOSED);
  EXPECT_THAT(EventLine(event, {.colored = true}), HasSubstr("\x1b[2mclosed\x1b[0m   "));
  event.mutable_connection_closed()->set_reason(control::v1::CLOSE_REASON_RESET);
  EXPECT_THAT(EventLine(event, {.colored = true}), HasSubstr("\x1b[31mclosed\x1b[0m   "));
  EXPECT_THAT(EventLine(event, {}), testing::Not(HasSubstr("\x1b")));
}

TEST(EventKind, Failures) {
  Event event;
  event.mutable_command_ended()->set_outcome("exited 0");
  EXPECT_FALSE(TellsOfFailure(event));
  event.mutable_command_ended()->set_outcome("exited 1");
  EXPECT_TRUE(TellsOfFailure(event));
  event.mutable_datagram_received();
  EXPECT_FALSE(TellsOfFailure(event));
  event.mutable_datagram_received()->set_dropped("size");
  EXPECT_TRUE(TellsOfFailure(event));
  event.mutable_reachability_changed()->set_reachable(true);
  EXPECT_FALSE(TellsOfFailure(event));
  event.mutable_reachability_changed()->set_reachable(false);
  EXPECT_TRUE(TellsOfFailure(event));
}

}  // namespace
}  // namespace rawgate::cli
