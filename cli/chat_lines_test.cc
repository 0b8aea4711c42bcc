#include "cli/chat_lines.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using chat::v1::DIRECTION_INBOUND;
using chat::v1::DIRECTION_OUTBOUND;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

chat::v1::Message Message(chat::v1::Direction direction, const std::string& body,
                          const std::string& operator_name = "") {
  chat::v1::Message message;
  message.set_session_id("127.0.0.1:40312");
  message.set_direction(direction);
  *message.mutable_time() = ToProto(absl::FromUnixSeconds(1'700'000'000));
  message.set_body(body);
  message.set_operator_name(operator_name);
  return message;
}

std::string Inbound(const std::string& body, int columns) {
  return MessageLines(Message(DIRECTION_INBOUND, body), 2, "ann", {columns, false});
}

std::vector<std::string> Rows(const std::string& lines) {
  std::vector<std::string> rows = absl::StrSplit(lines, '\n');
  EXPECT_EQ(rows.back(), "");
  rows.pop_back();
  return rows;
}

TEST(MessageLines, AreOneLineWithoutATerminal) {
  EXPECT_THAT(Inbound("a\nb \x1b[2J", 0),
              EndsWith("  #2   127.0.0.1:40312        a\\nb \\x1b[2J\n"));
  EXPECT_EQ(Rows(Inbound(std::string(4096, 'x'), 0)).size(), 1u);
}

TEST(MessageLines, StandBesideTheNameWhereThereIsRoom) {
  const auto rows = Rows(Inbound("One line of several words which is too long for it.", 80));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_THAT(rows[0],
              EndsWith("  #2   127.0.0.1:40312        One line of several words which is too"));
  EXPECT_EQ(rows[1], std::string(38, ' ') + "long for it.");
}

TEST(MessageLines, StandBelowTheNameWhereThereIsNone) {
  const auto rows = Rows(Inbound("你好，世界，这里很窄", 20));
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[0], ContainsRegex("^[0-9:]{8} #2 \\.\\.\\.0312$"));
  EXPECT_EQ(rows[1], "    你好，世界，这");
  EXPECT_EQ(rows[2], "    里很窄");
}

// A peer must not be able to write what looks like another line of the desk.
TEST(MessageLines, OnlyTheFirstRowBeginsAtTheEdge) {
  const std::string forged = "x\n14:03:21  #1   127.0.0.1:1         give him the keys\r\n-- note" +
                             std::string(500, ' ') + "14:03:21  #1   hello\n\u202e\u2028# 1";
  for (const int columns : {20, 40, 80, 200}) {
    const auto rows = Rows(Inbound(forged, columns));
    for (size_t i = 1; i < rows.size(); ++i) EXPECT_THAT(rows[i], StartsWith("    "));
  }
}

TEST(MessageLines, FitIntoTheColumns) {
  EXPECT_EQ(Rows(Inbound(std::string(4096, 'x'), 20)).back(), "    [264 more]");
  const std::string body = "一些很长的汉字没有空格 and words\n\x1b[31m\xff e\u0301 👨\u200d👩\u200d👧";
  for (int columns = 20; columns < 200; ++columns) {
    for (const std::string& row : Rows(Inbound(body, columns))) {
      EXPECT_LT(DisplayWidth(row), columns) << row;
    }
  }
}

TEST(MessageLines, LongOnesAreCutAndShownInFullOnDemand) {
  const std::string body(4096, 'x');
  const auto rows = Rows(Inbound(body, 80));
  EXPECT_EQ(rows.size(), kMessageRowsMax);
  EXPECT_THAT(rows.back(), HasSubstr("more rows; /show 2]"));
  const std::string whole =
      MessageLines(Message(DIRECTION_INBOUND, body), 2, "ann", {80, false}, /*whole=*/true);
  EXPECT_EQ(std::count(whole.begin(), whole.end(), 'x'), 4096);
}

TEST(MessageLines, NameWhoAnswered) {
  EXPECT_THAT(MessageLines(Message(DIRECTION_OUTBOUND, "yes", "bob"), 1, "ann", {}),
              EndsWith("  #1   > bob                  yes\n"));
  EXPECT_THAT(MessageLines(Message(DIRECTION_OUTBOUND, "yes"), 1, "ann", {}),
              HasSubstr("> operator "));
  EXPECT_THAT(MessageLines(Message(chat::v1::DIRECTION_AUTOMATIC, "away"), 1, "ann", {}),
              HasSubstr("> automatic answer "));
}

TEST(MessageLines, OwnAnswersAreColoredWhereColorsAre) {
  const auto own = Message(DIRECTION_OUTBOUND, "yes", "ann");
  EXPECT_THAT(MessageLines(own, 1, "ann", {80, true}), HasSubstr("\x1b[36myes\x1b[0m"));
  EXPECT_THAT(MessageLines(own, 1, "ann", {80, false}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(MessageLines(own, 1, "bob", {80, true}), Not(HasSubstr("\x1b")));
}

TEST(NoteLine, IsMarked) {
  EXPECT_EQ(NoteLine("2 sessions", {}), "-- 2 sessions\n");
  EXPECT_EQ(NoteLine("a note too long for a row", {20, false}),
            "-- a note too long\n   for a row\n");
}

TEST(FittedText, GoesOnIndented) {
  constexpr char kText[] = "  /quit  ends, as Ctrl-D does\nshort\n";
  EXPECT_EQ(FittedText(kText, {20, false}), "  /quit  ends,\n    as Ctrl-D does\nshort\n");
  EXPECT_EQ(FittedText(kText, {80, false}), kText);
  EXPECT_EQ(FittedText(kText, {}), kText);
}

TEST(Ago, IsRough) {
  EXPECT_EQ(Ago(absl::Seconds(-5)), "just now");
  EXPECT_EQ(Ago(absl::Seconds(40)), "40 s ago");
  EXPECT_EQ(Ago(absl::Seconds(125)), "2 min ago");
  EXPECT_EQ(Ago(absl::Hours(30)), "30 h ago");
  EXPECT_EQ(Ago(absl::Hours(72)), "3 days ago");
}

std::vector<ChatSessionRow> TwoSessions() {
  ChatSessionRow first{1, 3, {}};
  first.session.set_id("127.0.0.1:40312");
  first.session.set_messages_received(12);
  first.session.set_messages_sent(2);
  ChatSessionRow second{12, 0, {}};
  second.session.set_id("[2001:db8:1234:5678:9abc:def0:1234:5678]:40312");
  second.session.set_messages_received(1);
  second.session.set_messages_refused(4);
  for (ChatSessionRow* row : {&first, &second}) {
    *row->session.mutable_last_seen() = ToProto(absl::FromUnixSeconds(1'700'000'000));
  }
  return {first, second};
}

constexpr absl::Time kNow = absl::FromUnixSeconds(1'700'000'130);

TEST(SessionTable, ListsAll) {
  EXPECT_EQ(SessionTable(TwoSessions(), kNow, {}),
            " #  PEER                                            LAST HEARD        RECEIVED  SENT  "
            "UNREAD\n"
            " 1  127.0.0.1:40312                                  2 min ago              12     2  "
            "   * 3\n"
            "12  [2001:db8:1234:5678:9abc:def0:1234:5678]:40312   2 min ago  1 (4 too long)     0  "
            "     -\n");
}

TEST(SessionTable, FitsIntoTheColumns) {
  EXPECT_EQ(SessionTable(TwoSessions(), kNow, {80, false}),
            " #  PEER                               LAST HEARD        RECEIVED  SENT  UNREAD\n"
            " 1  127.0.0.1:40312                     2 min ago              12     2     * 3\n"
            "12  ...678:9abc:def0:1234:5678]:40312   2 min ago  1 (4 too long)     0       -\n");
  EXPECT_EQ(SessionTable(TwoSessions(), kNow, {40, false}),
            " #  PEER             LAST HEARD  UNREAD\n"
            " 1  127.0.0.1:40312   2 min ago     * 3\n"
            "12  ...:5678]:40312   2 min ago       -\n");
  for (int columns = 20; columns < 120; ++columns) {
    for (const auto& row : Rows(SessionTable(TwoSessions(), kNow, {columns, false}))) {
      EXPECT_LT(DisplayWidth(row), columns) << row;
    }
  }
}

TEST(SessionTable, UnreadIsColored) {
  const std::string table = SessionTable(TwoSessions(), kNow, {80, true});
  EXPECT_THAT(table, HasSubstr("\x1b[1;33m* 3\x1b[0m\n"));
  EXPECT_EQ(table.find("\x1b[1;33m"), table.rfind("\x1b[1;33m"));
}

TEST(ShownPrompt, LeavesRoomForTyping) {
  const ChatPrompt prompt{2, "127.0.0.1:40312", false, 3};
  EXPECT_EQ(ShownPrompt(prompt, {80, false}).text, "#2 127.0.0.1:40312 (3 unread elsewhere)> ");
  EXPECT_EQ(ShownPrompt(prompt, {40, false}).text, "#2 (3 unread)> ");
  EXPECT_EQ(ShownPrompt(prompt, {20, false}).text, "#2 (3)> ");
  EXPECT_EQ(ShownPrompt({2, "127.0.0.1:40312", true, 0}, {80, false}).text,
            "with #2 127.0.0.1:40312> ");
  EXPECT_EQ(ShownPrompt({}, {80, false}).text, "> ");
}

TEST(ShownPrompt, ColorsTakeNoColumns) {
  const ChatPrompt prompt{2, "127.0.0.1:40312", false, 3};
  const PromptText colored = ShownPrompt(prompt, {80, true});
  EXPECT_THAT(colored.text, HasSubstr("\x1b[1;33m (3 unread elsewhere)\x1b[0m"));
  EXPECT_EQ(colored.columns, DisplayWidth(ShownPrompt(prompt, {80, false}).text));
}

}  // namespace
}  // namespace rawgate::cli
