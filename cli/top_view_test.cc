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

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(TopView, ServicesAt80x24) {
  TopChoice choice;
  EXPECT_EQ(TopScreenText(TopTwoSamples(), choice, 80, 24),
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
  const std::string text = TopScreenText(TopTwoSamples(), choice, 200, 50);
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
  EXPECT_EQ(TopScreenText(TopTwoSamples(), choice, 40, 10),
            R"(rawgate top  127.0.0.1:50051  HH:MM:SS
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
          TopScreenText(data, choice, width, height);
        }
      }
    }
  }
}

TEST(TopView, StatesCanBeReadWithoutColours) {
  TopChoice choice;
  const std::string text = TopScreenText(TopTwoSamples(), choice, 80, 24);
  for (const char* state : {"running", "failed", "unreachable", "unknown"})
    EXPECT_THAT(text, HasSubstr(state));
  // The selected row, too.
  EXPECT_THAT(text, HasSubstr("\n> echo "));
}

TEST(TopView, RatesAreUnknownAfterOneSample) {
  TopData data;
  data.Take(kTopBegin, TopServices(100));
  TopChoice choice;
  const std::vector<std::string> rows = absl::StrSplit(TopScreenText(data, choice, 80, 24), '\n');
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
  const std::string text = TopScreenText(data, choice, 120, 24);
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
  const std::string text = TopScreenText(data, choice, 100, 24);
  EXPECT_THAT(text, HasSubstr("1 with faults"));
  EXPECT_THAT(text, HasSubstr("sent: loss 5%"));
}

TEST(TopView, TroubleIsSaidAtEveryHeight) {
  TopData data = TopTwoSamples();
  data.SetTrouble("gateway lost: Connection refused; trying again");
  TopChoice choice;
  for (const int height : {4, 10, 24})
    EXPECT_THAT(TopScreenText(data, choice, 80, height),
                HasSubstr("gateway lost: Connection refused"));
}

TEST(TopView, WhatIsWrongWithTheSelectedRowStandsBelow) {
  TopChoice choice;
  choice.lists[0].selected = "echo\n\nudp";
  EXPECT_THAT(TopScreenText(TopTwoSamples(), choice, 80, 24),
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
        const std::string text = TopScreenText(data, choice, width, 24);
        for (const char c : text)
          EXPECT_TRUE(c == '\n' || (c & 0x80) != 0 || (c >= ' ' && c != 0x7F));
        EXPECT_THAT(text, Not(HasSubstr("\u202e")));
      }
    }
  }
}

}  // namespace
}  // namespace rawgate::cli
