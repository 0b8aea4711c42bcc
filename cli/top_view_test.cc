#include "cli/top_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "cli/top_keys.h"
#include "cli/top_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const TopSetting kSetting{"127.0.0.1:50051", absl::Seconds(1)};

std::vector<ScreenLine> Screen(const TopData& data, TopChoice& choice, int width, int height) {
  const TopLayout layout = LayoutOf(width, height);
  const std::vector<TopItem> items = ArrangeTop(data, layout, choice);
  return DrawTop(kSetting, data, items, layout, choice);
}

// The local time of the title is the machine's.
std::string Text(const TopData& data, TopChoice& choice, int width, int height) {
  const std::vector<ScreenLine> lines = Screen(data, choice, width, height);
  EXPECT_EQ(lines.size(), static_cast<size_t>(height));
  for (const ScreenLine& line : lines) EXPECT_LE(line.width(), width) << line.Text();
  std::string text = TopText(lines);
  const std::string time = ClockTime(data.time()).substr(0, 8);
  if (const size_t at = text.find(time); at != text.npos) text.replace(at, time.size(), "HH:MM:SS");
  return text;
}

TEST(TopView, ServicesAt80x24) {
  TopChoice choice;
  EXPECT_EQ(Text(TopTwoSamples(), choice, 80, 24),
            R"(rawgate top  127.0.0.1:50051  HH:MM:SS  every 1s
2 of 4 listeners running, 3 open, 40 req/s, in 3.9K/s, out 7.8K/s
[1 services]   2 connections    3 events
  NAME      STATE        OPEN  REQ/S  ERR/S   IN/S  OUT/S  DROPS  ADDRESS
> echo      failed          3     40      0   3.9K   7.8K      0
  echo/tcp  running         3     40      0   3.9K   7.8K      0  127.0.0.1:8080
  echo/udp  failed          0      0      0      0      0      0  127.0.0.1:8080
  time      running         0      0      0      0      0     12
  time/udp  running         0      0      0      0      0     12  127.0.0.1:9000
  file      unreachable     0      0      0      0      0      0
  file/tcp  unknown         0      0      0      0      0      0  127.0.0.1:8081












Enter details  s start  x stop  w who  / filter  > sort  ? help  q quit)");
}

TEST(TopView, ServicesAt200x50) {
  TopChoice choice;
  choice.lists[0].selected = "echo\n\nudp";
  const std::string text = Text(TopTwoSamples(), choice, 200, 50);
  EXPECT_EQ(text, R"(rawgate top  127.0.0.1:50051  HH:MM:SS  every 1s
2 of 4 listeners running, 3 open, 40 req/s, in 3.9K/s, out 7.8K/s
[1 services]   2 connections    3 events
  NAME      STATE        SINCE  OPEN  REQ/S  ERR/S   IN/S  OUT/S  DROPS  REQUESTS   IN  OUT  ADDRESS
  echo      failed        5m1s     3     40      0   3.9K   7.8K      0       140  14K  27K
  echo/tcp  running                3     40      0   3.9K   7.8K      0       140  14K  27K  tcp://127.0.0.1:8080
> echo/udp  failed                 0      0      0      0      0      0         0    0    0  udp://127.0.0.1:8080
  time      running                0      0      0      0      0     12         0    0    0
  time/udp  running                0      0      0      0      0     12         0    0    0  udp://127.0.0.1:9000
  file      unreachable            0      0      0      0      0      0         0    0    0
  file/tcp  unknown                0      0      0      0      0      0         0    0    0  tcp://127.0.0.1:8081





































bind udp://127.0.0.1:8080: Address already in use
Enter details  s start  x stop  w who  / filter  > sort  Space hold  ? help  q quit)");
}

TEST(TopView, ServicesAt40x10) {
  TopChoice choice;
  EXPECT_EQ(Text(TopTwoSamples(), choice, 40, 10), R"(rawgate top  127.0.0.1:50051  HH:MM:SS
2 of 4 listeners running, 3 open, 40 req
  NAME      STATE        OPEN  REQ/S
> echo      failed          3     40
  echo/tcp  running         3     40
  echo/udp  failed          0      0
  time      running         0      0
  time/udp  running         0      0
  file      unreachable     0      0
Enter details  s start  ? help  q quit)");
}

TEST(TopView, FitsAScreenOfAnySize) {
  const TopData data = TopTwoSamples();
  for (const TopView view : {TopView::kServices, TopView::kConnections, TopView::kEvents}) {
    for (int width = 1; width < 120; width += 7) {
      for (int height = 1; height < 30; ++height) {
        TopChoice choice;
        choice.view = view;
        for (const bool help : {false, true}) {
          choice.help = help;
          Text(data, choice, width, height);
        }
      }
    }
  }
}

TEST(TopView, StatesCanBeReadWithoutColours) {
  TopChoice choice;
  const std::string text = Text(TopTwoSamples(), choice, 80, 24);
  for (const char* state : {"running", "failed", "unreachable", "unknown"})
    EXPECT_THAT(text, HasSubstr(state));
  // The selected row, too.
  EXPECT_THAT(text, HasSubstr("\n> echo "));
}

TEST(TopView, RatesAreUnknownAfterOneSample) {
  TopData data;
  data.Take(kTopBegin, TopServices(100));
  TopChoice choice;
  const std::vector<std::string> rows = absl::StrSplit(Text(data, choice, 80, 24), '\n');
  EXPECT_THAT(rows[4],
              StartsWith("> echo      failed          3      -      -      -      -      0"));
}

TEST(TopView, AnotherProcessCountsAnew) {
  TopData data = TopTwoSamples();
  control::v1::ListServicesResponse services = TopServices(3);
  services.mutable_services(0)->set_instance("another");
  data.Take(kTopBegin + absl::Seconds(2), services);
  EXPECT_FALSE(data.RatesOf(data.services().services(0)).known);
  services.mutable_services(0)->mutable_counters()->set_requests(7);
  data.Take(kTopBegin + absl::Seconds(3), services);
  EXPECT_DOUBLE_EQ(data.RatesOf(data.services().services(0)).requests, 4);
}

TEST(TopView, Replicas) {
  TopData data;
  control::v1::ListServicesResponse services = TopServices(0);
  *services.add_services() = services.services(1);
  services.mutable_services(1)->set_address("ipv4:10.0.0.1:50061");
  services.mutable_services(1)->set_instance("aaaaaaaa1");
  services.mutable_services(3)->set_address("ipv4:10.0.0.2:50061");
  services.mutable_services(3)->set_instance("bbbbbbbb1");
  data.Take(kTopBegin, services);
  TopChoice choice;
  const std::string text = Text(data, choice, 120, 24);
  EXPECT_THAT(text, HasSubstr("INSTANCE"));
  EXPECT_THAT(text, HasSubstr("time      aaaaaaaa"));
  EXPECT_THAT(text, HasSubstr("time      bbbbbbbb"));
  EXPECT_THAT(text, HasSubstr("ipv4:10.0.0.2:50061"));
}

TEST(TopView, Faults) {
  TopData data;
  control::v1::ListServicesResponse services = TopServices(0);
  auto& faults = *services.mutable_services(1)->mutable_listeners(0)->mutable_faults();
  faults.mutable_datagrams_sent()->set_loss(0.05);
  data.Take(kTopBegin, services);
  TopChoice choice;
  const std::string text = Text(data, choice, 100, 24);
  EXPECT_THAT(text, HasSubstr("1 with faults"));
  EXPECT_THAT(text, HasSubstr("sent: loss 5%"));
}

TEST(TopView, TroubleIsSaidAtEveryHeight) {
  TopData data = TopTwoSamples();
  data.SetTrouble("gateway lost: Connection refused; trying again");
  TopChoice choice;
  for (const int height : {4, 10, 24})
    EXPECT_THAT(Text(data, choice, 80, height), HasSubstr("gateway lost: Connection refused"));
}

TEST(TopView, WhatIsWrongWithTheSelectedRowStandsBelow) {
  TopChoice choice;
  choice.lists[0].selected = "echo\n\nudp";
  EXPECT_THAT(Text(TopTwoSamples(), choice, 80, 24),
              HasSubstr("\nbind udp://127.0.0.1:8080: Address already in use\n"));
}

TEST(TopView, HostileNamesAreShownAsEscapes) {
  TopData data;
  control::v1::ListServicesResponse services = TopServices(0);
  services.mutable_services(0)->set_last_error("\x1b[2J\u202e长长长");
  services.mutable_services(0)->mutable_listeners(0)->set_bound_address(
      "tcp://长长长长长长长长长\x07");
  data.Take(kTopBegin, services);
  control::v1::ListConnectionsResponse connections;
  *connections.add_connections() = TopConnection(1, "tcp://\x1b]0;title\x07", 0);
  connections.mutable_connections(0)->set_user("\n\r\t用户用户用户");
  data.Take(kTopBegin, connections);
  for (const int width : {30, 80, 200}) {
    for (const TopView view : {TopView::kServices, TopView::kConnections}) {
      TopChoice choice;
      choice.view = view;
      for (const bool details : {false, true}) {
        choice.details = details;
        const std::string text = Text(data, choice, width, 24);
        for (const char c : text)
          EXPECT_TRUE(c == '\n' || (c & 0x80) != 0 || (c >= ' ' && c != 0x7F));
        EXPECT_THAT(text, Not(HasSubstr("\u202e")));
      }
    }
  }
}

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
  EXPECT_EQ(Text(data_, choice_, 80, 24), R"(rawgate top  127.0.0.1:50051  HH:MM:SS  every 1s
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
  const std::string text = Text(data_, choice_, 80, 24);
  EXPECT_THAT(text, HasSubstr("#22 of echo/tcp\n"));
  EXPECT_THAT(text,
              HasSubstr("peer               tcp://[2001:db8:1234:5678:9abc:def0:1:2]:65000\n"));
  EXPECT_THAT(text, HasSubstr("received           4.0 KiB; 4.0K/s\n"));
}

TEST_F(TopConnections, PagesOfTheGateway) {
  control::v1::ListConnectionsResponse page = data_.connections();
  page.set_next_page_token("t");
  data_.Take(kTopBegin + absl::Seconds(2), page);
  EXPECT_THAT(Text(data_, choice_, 80, 24), HasSubstr("page 1+"));
  choice_.lists[1].order.filter = "9abc";
  const std::string text = Text(data_, choice_, 80, 24);
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
  std::string text = Text(data, choice, 80, 24);
  EXPECT_THAT(text, HasSubstr("#40  opened   tcp://39\n\nPageUp"));
  EXPECT_THAT(text, Not(HasSubstr("3 events not shown")));
  choice.events_back = 1000;
  text = Text(data, choice, 80, 24);
  EXPECT_THAT(text, HasSubstr("nothing yet"));
  choice.events_back = 0;
  choice.events_filter = "EVENTS";
  EXPECT_THAT(Text(data, choice, 80, 24), HasSubstr("3 events not shown"));
}

}  // namespace
}  // namespace rawgate::cli
