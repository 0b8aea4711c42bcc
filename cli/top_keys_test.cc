#include "cli/top_keys.h"

#include "absl/strings/str_cat.h"
#include "cli/top_prompt.h"
#include "cli/top_testing.h"
#include "cli/top_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using Kind = TerminalKey::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class TopKeys : public testing::Test {
 protected:
  std::vector<TopAction> Press(Kind kind) { return Take({kind, ""}); }
  std::vector<TopAction> Type(const std::string& text) { return Take({Kind::kText, text}); }
  std::vector<TopAction> Type(int width, const std::string& text) {
    return Take({Kind::kText, text}, width);
  }
  std::vector<TopAction> Take(const TerminalKey& key, int width = 80) {
    const TopLayout layout = LayoutOf(width, height_);
    ArrangeTop(data_, layout, choice_);
    return PressTopKey(key, data_, layout, choice_);
  }

  // The name of the selected row.
  std::string Selected() {
    const auto items = ArrangeTop(data_, LayoutOf(80, height_), choice_);
    return items.empty() ? "" : NameOf(items[choice_.list().at]);
  }
  std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const auto& item : ArrangeTop(data_, LayoutOf(80, height_), choice_))
      names.push_back(NameOf(item));
    return names;
  }

  void ShowConnections(int count, const std::string& next_page) {
    control::v1::ListConnectionsResponse page;
    for (int i = 1; i <= count; ++i) {
      *page.add_connections() =
          TopConnection(static_cast<uint64_t>(i), absl::StrCat("tcp://192.0.2.1:", i), 0);
    }
    page.set_next_page_token(next_page);
    data_.Take(kTopBegin, page);
    choice_.view = TopView::kConnections;
  }

  TopData data_ = TopTwoSamples();
  TopChoice choice_;
  int height_ = 24;
};

TEST_F(TopKeys, SelectRows) {
  EXPECT_EQ(Selected(), "echo");
  Press(Kind::kDown);
  EXPECT_EQ(Selected(), "echo/tcp");
  Type("jj");
  EXPECT_EQ(Selected(), "time");
  Type("k");
  EXPECT_EQ(Selected(), "echo/udp");
  Press(Kind::kEnd);
  EXPECT_EQ(Selected(), "file/tcp");
  Press(Kind::kDown);
  EXPECT_EQ(Selected(), "file/tcp");
  Type("g");
  EXPECT_EQ(Selected(), "echo");
  Press(Kind::kUp);
  EXPECT_EQ(Selected(), "echo");
  Press(Kind::kPageDown);
  EXPECT_EQ(Selected(), "file/tcp");
}

TEST_F(TopKeys, TheSelectedRowStaysSelectedWhereverItGoes) {
  Type("jjjj");
  EXPECT_EQ(Selected(), "time/udp");
  control::v1::ListServicesResponse services = TopServices(1);
  services.mutable_services()->SwapElements(0, 1);
  data_.Take(kTopBegin + absl::Seconds(2), services);
  EXPECT_EQ(Selected(), "time/udp");
  services.mutable_services()->DeleteSubrange(0, 1);
  data_.Take(kTopBegin + absl::Seconds(3), services);
  EXPECT_EQ(Selected(), "echo/tcp") << "what is where it was";
}

TEST_F(TopKeys, TheSelectedRowIsOnTheScreen) {
  height_ = 10;
  Press(Kind::kEnd);
  const TopLayout layout = LayoutOf(40, height_);
  const auto items = ArrangeTop(data_, layout, choice_);
  EXPECT_THAT(TopText(DrawTop({"", absl::Seconds(1)}, data_, items, layout, choice_)),
              HasSubstr("> file/tcp"));
}

TEST_F(TopKeys, Sort) {
  // Of NAME, INSTANCE, STATE, SINCE, OPEN, those that are on the screen.
  Type(">>");
  EXPECT_THAT(Names(),
              ElementsAre("echo", "echo/tcp", "echo/udp", "time", "time/udp", "file", "file/tcp"));
  Type("r");
  EXPECT_THAT(Names(),
              ElementsAre("time", "time/udp", "file", "file/tcp", "echo", "echo/udp", "echo/tcp"));
  Type("<r");
  EXPECT_THAT(Names(),
              ElementsAre("echo", "echo/udp", "echo/tcp", "time", "time/udp", "file", "file/tcp"))
      << "by state";
  Type("<r");
  EXPECT_THAT(Names(),
              ElementsAre("file", "file/tcp", "time", "time/udp", "echo", "echo/tcp", "echo/udp"))
      << "the gateway's order, reversed";
}

TEST_F(TopKeys, NothingIsSortedByWhatIsNotOnTheScreen) {
  const auto sorts = [&](int width) {
    std::vector<std::string> headings;
    do {
      Type(width, ">");
      headings.push_back(choice_.shape().columns()[choice_.list().order.column].shape.heading);
    } while (choice_.list().order.column > 0);
    return headings;
  };
  EXPECT_THAT(sorts(40), ElementsAre("STATE", "OPEN", "REQ/S", "NAME"));
  EXPECT_THAT(sorts(80), ElementsAre("STATE", "OPEN", "REQ/S", "ERR/S", "IN/S", "OUT/S", "DROPS",
                                     "ADDRESS", "NAME"));
  // From a column that was shown on a wider screen there is a way to those of this one.
  choice_.list().order.column = TopList::Services().ColumnOf("REQUESTS");
  EXPECT_THAT(sorts(40), ElementsAre("NAME"));
}

TEST_F(TopKeys, Filter) {
  Type("/");
  Type("UDP");
  EXPECT_THAT(Names(), ElementsAre("echo/udp", "time/udp"));
  Press(Kind::kEnter);
  Type("j");
  EXPECT_EQ(Selected(), "time/udp");
  Type("/");
  Type("x");
  EXPECT_THAT(Names(), IsEmpty());
  Press(Kind::kEscape);
  EXPECT_THAT(Names(), SizeIs(2)) << "the filter of before";
  Press(Kind::kEscape);
  EXPECT_THAT(Names(), SizeIs(7));
}

TEST_F(TopKeys, StartAtOnce) {
  Type("j");
  const auto actions = Type("s");
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].kind, TopAction::Kind::kStart);
  EXPECT_EQ(actions[0].service, "echo");
  EXPECT_EQ(actions[0].listener, "tcp");
  EXPECT_EQ(actions[0].instance, "");
  EXPECT_EQ(choice_.message, "starting echo/tcp");
}

TEST_F(TopKeys, StopAsksForTheGrace) {
  EXPECT_THAT(Type("x"), IsEmpty());
  EXPECT_EQ(TopPromptLine(choice_, 80).Text(),
            "Stop echo? Grace in seconds: 5_  Enter: yes, Esc: no");
  Press(Kind::kEraseToStart);
  Type("1");
  Type("m");
  Type("2x");
  Type(".5");
  EXPECT_EQ(TopPromptLine(choice_, 80).Text(),
            "Stop echo? Grace in seconds: 1.5_  Enter: yes, Esc: no")
      << "what is no number is not taken";
  const auto actions = Press(Kind::kEnter);
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].kind, TopAction::Kind::kStop);
  EXPECT_EQ(actions[0].service, "echo");
  EXPECT_EQ(actions[0].listener, "");
  EXPECT_EQ(actions[0].grace, absl::Milliseconds(1500));
}

TEST_F(TopKeys, NothingIsStoppedByAccident) {
  for (const std::string grace : {"", "x", "-1", "601", "nan", "inf", ".", "1..2"}) {
    Type("S");
    Press(Kind::kEraseToStart);
    if (!grace.empty()) Type(grace);
    EXPECT_THAT(Press(Kind::kEnter), IsEmpty()) << grace;
    EXPECT_THAT(choice_.message, HasSubstr("nothing was stopped"));
  }
  Type("x");
  EXPECT_THAT(Press(Kind::kEscape), IsEmpty());
  EXPECT_EQ(choice_.message, "nothing was done");
  EXPECT_THAT(Press(Kind::kEnter), IsEmpty());
}

TEST_F(TopKeys, OfReplicasTheSelectedOneIsMeant) {
  control::v1::ListServicesResponse services = TopServices(1);
  auto& second = *services.add_services();
  second = services.services(0);
  second.set_instance("bbbbbbbb1");
  second.set_address("ipv4:10.0.0.2:50061");
  data_.Take(kTopBegin, services);
  Press(Kind::kEnd);
  const auto actions = Type("s");
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].instance, "bbbbbbbb1");
  EXPECT_EQ(actions[0].name, "echo/udp@bbbbbbbb");
}

TEST_F(TopKeys, CloseAsksFirst) {
  ShowConnections(2, "");
  Type("j");
  EXPECT_THAT(Type("c"), IsEmpty());
  EXPECT_EQ(TopPromptLine(choice_, 80).Text(),
            "Close #2 of echo/tcp? Enter or y: yes, any other key: no");
  EXPECT_THAT(Type("n"), IsEmpty());
  Type("c");
  const auto actions = Type("y");
  ASSERT_THAT(actions, SizeIs(1));
  EXPECT_EQ(actions[0].kind, TopAction::Kind::kClose);
  EXPECT_EQ(actions[0].connection, 2u);
  EXPECT_EQ(actions[0].instance, "3f9a1c2b");
}

TEST_F(TopKeys, WhatIsPastedIsNoYes) {
  ShowConnections(1, "");
  EXPECT_THAT(Type("cyqcy"), IsEmpty());
  EXPECT_FALSE(choice_.quit);
}

TEST_F(TopKeys, ActionsAreForTheirView) {
  EXPECT_THAT(Type("c"), IsEmpty());
  EXPECT_THAT(choice_.message, HasSubstr("second view"));
  ShowConnections(1, "");
  EXPECT_THAT(Type("x"), IsEmpty());
  EXPECT_THAT(choice_.message, HasSubstr("first view"));
  EXPECT_EQ(choice_.prompt.kind, TopPrompt::Kind::kNone);
}

TEST_F(TopKeys, PagesOfConnections) {
  height_ = 10;
  ShowConnections(5, "second");
  Press(Kind::kEnd);
  EXPECT_THAT(choice_.pages, IsEmpty()) << "first to the edge";
  Press(Kind::kDown);
  EXPECT_THAT(choice_.pages, ElementsAre("second"));
  Press(Kind::kEnd);
  Press(Kind::kDown);
  EXPECT_THAT(choice_.pages, ElementsAre("second")) << "it has not come yet";
  ShowConnections(3, "");
  choice_.page_turning = false;
  Press(Kind::kEnd);
  Press(Kind::kDown);
  EXPECT_THAT(choice_.pages, ElementsAre("second")) << "the last page";
  Type("g");
  EXPECT_THAT(choice_.pages, ElementsAre("second"));
  Type("k");
  EXPECT_THAT(choice_.pages, IsEmpty());
}

TEST_F(TopKeys, ViewsAndBack) {
  Press(Kind::kDown);
  Press(Kind::kEnter);
  EXPECT_TRUE(choice_.details);
  Press(Kind::kLeft);
  EXPECT_FALSE(choice_.details);
  Type("w");
  EXPECT_EQ(choice_.view, TopView::kConnections);
  EXPECT_EQ(choice_.service, "echo");
  Press(Kind::kEscape);
  EXPECT_EQ(choice_.service, "");
  Type("\t");
  EXPECT_EQ(choice_.view, TopView::kEvents);
  Type("?");
  EXPECT_TRUE(choice_.help);
  Type("1");
  EXPECT_FALSE(choice_.help);
  EXPECT_EQ(choice_.view, TopView::kServices);
  Type(" ");
  EXPECT_TRUE(choice_.paused);
  Type("q");
  EXPECT_TRUE(choice_.quit);
}

}  // namespace
}  // namespace rawgate::cli
