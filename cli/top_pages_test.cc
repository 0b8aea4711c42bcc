// The pages of connections and of events.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "cli/top_keys.h"
#include "cli/top_testing.h"
#include "cli/top_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class TopConnections : public testing::Test {
 protected:
  TopConnections() : data_(TopTwoSamples()) {
    control::v1::ListConnectionsResponse page;
    *page.add_connections() = TopConnection(1, "tcp://127.0.0.1:40001", 0);
    *page.add_connections() =
        TopConnection(22, "tcp://[2001:db8:1234:5678:9abc:def0:1:2]:65000", 0);
    data_.Take(kTopBegin, page);
    page.mutable_connections(1)->set_bytes_received(4096);
    page.mutable_connections(1)->set_user("ann");
    data_.Take(kTopBegin + absl::Seconds(1), page);
    choice_.view = TopView::kConnections;
  }

  TopData data_;
  TopChoice choice_;
};

TEST_F(TopConnections, At80x24) {
  EXPECT_EQ(TopScreenText(data_, choice_, 80, 24),
            R"(rawgate top  127.0.0.1:50051  HH:MM:SS  every 1s
2 of 4 listeners running, 3 open, 40 req/s, in 3.9K/s, out 7.8K/s
 1 services   [2 connections]   3 events
  NAME      ID  PEER                           USER  AGE   IN/S  OUT/S  REQUESTS
> echo/tcp   1  tcp://127.0.0.1:40001                41s      0      0         1
  echo/tcp  22  ...:5678:9abc:def0:1:2]:65000  ann   41s   4.0K      0        22

















Enter details  c close  w all  / filter  > sort  Space hold  ? help  q quit)");
}

TEST_F(TopConnections, Details) {
  choice_.details = true;
  choice_.lists[1].selected = TopKey(data_.connections().connections(1));
  const std::string text = TopScreenText(data_, choice_, 80, 24);
  EXPECT_THAT(text, HasSubstr("#22 of echo/tcp\n"));
  EXPECT_THAT(text,
              HasSubstr("peer               tcp://[2001:db8:1234:5678:9abc:def0:1:2]:65000\n"));
  EXPECT_THAT(text, HasSubstr("received           4.0 KiB; 4.0K/s\n"));
}

TEST_F(TopConnections, PagesOfTheGateway) {
  control::v1::ListConnectionsResponse page = data_.connections();
  page.set_next_page_token("t");
  data_.Take(kTopBegin + absl::Seconds(2), page);
  EXPECT_THAT(TopScreenText(data_, choice_, 80, 24), HasSubstr("page 1+"));
  choice_.lists[1].order.filter = "9abc";
  const std::string text = TopScreenText(data_, choice_, 80, 24);
  EXPECT_THAT(text, HasSubstr("filter: 9abc  of the first 2"));
  EXPECT_THAT(text, Not(HasSubstr("40001")));
}

TEST(TopEvents, NewestBelow) {
  TopData data = TopTwoSamples();
  control::v1::WatchEventsResponse message;
  for (int i = 0; i < 40; ++i) {
    auto& event = *message.add_events();
    event.set_service("echo");
    event.set_listener("tcp");
    event.set_connection_id(static_cast<uint64_t>(i + 1));
    event.mutable_connection_opened()->set_peer(absl::StrCat("tcp://", i));
  }
  message.add_lost()->set_count(3);
  data.Take(kTopBegin, message);
  TopChoice choice;
  choice.view = TopView::kEvents;
  std::string text = TopScreenText(data, choice, 80, 24);
  EXPECT_THAT(text, HasSubstr("#40  opened   tcp://39\n\nPageUp"));
  EXPECT_THAT(text, Not(HasSubstr("3 events not shown")));
  choice.events_back = 1000;
  text = TopScreenText(data, choice, 80, 24);
  EXPECT_THAT(text, HasSubstr("nothing yet"));
  choice.events_back = 0;
  choice.events_filter = "EVENTS";
  EXPECT_THAT(TopScreenText(data, choice, 80, 24), HasSubstr("3 events not shown"));
}

}  // namespace
}  // namespace rawgate::cli
