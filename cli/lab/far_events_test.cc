#include "cli/lab/far_events.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli::lab {
namespace {

using testing::SizeIs;

control::v1::Event Opened(uint64_t id, const std::string& listener, const std::string& peer) {
  control::v1::Event event;
  event.set_connection_id(id);
  event.set_listener(listener);
  event.mutable_connection_opened()->set_peer(peer);
  return event;
}

control::v1::Event Chunk(uint64_t id) {
  control::v1::Event event;
  event.set_connection_id(id);
  event.mutable_chunk_received()->set_size(5);
  return event;
}

TEST(OfConnection, FindsTheOneOfThatPeer) {
  const Events events = {Opened(1, "tcp", "tcp://127.0.0.1:1"), Chunk(1),
                         Opened(2, "tcp", "tcp://127.0.0.1:2"), Chunk(2), Chunk(2)};
  EXPECT_THAT(OfConnection(events, "tcp", "tcp://127.0.0.1:2"), SizeIs(3));
  EXPECT_THAT(OfConnection(events, "tcp", "tcp://127.0.0.1:1"), SizeIs(2));
}

TEST(OfConnection, KnowsThisProcessByItsUnixPeer) {
  const Events events = {Opened(1, "tcp", "unix:pid=12,uid=0"),
                         Opened(2, "tcp", "unix:pid=1,uid=0"), Chunk(2)};
  EXPECT_THAT(OfConnection(events, "tcp", "unix:pid=1"), SizeIs(2));
}

TEST(OfConnection, TakesTheOnlyOneWhereAddressesAreTranslated) {
  const Events one = {Opened(7, "tcp", "tcp://172.18.0.1:4711"), Chunk(7)};
  EXPECT_THAT(OfConnection(one, "tcp", "tcp://127.0.0.1:43012"), SizeIs(2));
  EXPECT_THAT(OfConnection(one, "sized", "tcp://127.0.0.1:43012"), SizeIs(0));
  const Events two = {Opened(7, "tcp", "tcp://172.18.0.1:4711"),
                      Opened(8, "tcp", "tcp://172.18.0.1:4712")};
  EXPECT_THAT(OfConnection(two, "tcp", "tcp://127.0.0.1:43012"), SizeIs(0));
}

TEST(OfConnection, DoesNotMixUpProcesses) {
  Events events = {Opened(1, "tcp", "tcp://127.0.0.1:1"), Chunk(1)};
  events[0].set_instance("a");
  events[1].set_instance("b");
  EXPECT_THAT(OfConnection(events, "tcp", "tcp://127.0.0.1:1"), SizeIs(1));
}

}  // namespace
}  // namespace rawgate::cli::lab
