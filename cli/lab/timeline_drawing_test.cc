#include "cli/lab/timeline_drawing.h"

#include <array>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli::lab {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::array kTexts = std::to_array<Text>({
    {"scene.merged", "Two sends", "两次发送"},
    {"bar.long", "long", "长的"},
    {"bar.short", "short one", "短的一个"},
});

Scene Merged() {
  Scene scene;
  scene.id = "merged";
  scene.service = "echo/tcp";
  scene.address = "tcp://127.0.0.1:8080";
  const auto at = [](int microseconds) { return absl::Microseconds(microseconds); };
  scene.steps = {
      {.at = at(12), .what = "send", .bytes = 5, .sample = "hello"},
      {.at = at(14), .kind = StepKind::kWire, .what = "segment", .bytes = 5},
      {.at = at(20), .what = "send", .bytes = 5, .sample = "world"},
      {.at = at(40'020), .kind = StepKind::kLost, .what = "segment", .count = 2, .bytes = 10},
      {.at = at(40'030), .side = Side::kService, .what = "recv", .bytes = 10, .sample = "hello"},
      {.at = at(40'050), .side = Side::kService, .kind = StepKind::kWire, .what = "FIN"},
      {.at = at(40'060), .what = "recv", .result = "ECONNRESET"},
  };
  return scene;
}

DrawingOptions Ascii() { return {.columns = 80, .unicode = false, .texts = kTexts}; }

TEST(DrawScene, DrawsBothSidesAndTheWire) {
  EXPECT_EQ(DrawScene(Merged(), Ascii()),
            R"(Two sends

       ms                 client |                      | echo/tcp
                                 |                      | tcp://127.0.0.1:8080
    0.012         send 5 "hello" +                      |
    0.014                        +-------- 5 B -------->|
    0.020         send 5 "world" +                      |
                                 :       40.0 ms        :
   40.020                        +- 2 segments, 10 B -x |
   40.030                        |                      + recv 10 "hello"
   40.050                        |<-------- FIN --------+
   40.060        recv ECONNRESET +                      |
)");
}

TEST(DrawScene, FitsTheWidthInBothLanguages) {
  Scene scene = Merged();
  scene.steps[0].sample = std::string(256, 'x');
  scene.steps[4].sample = "\xe4\xbd\xa0\xe5\xa5\xbd" + std::string(250, '\xff');
  scene.address = "unix:///" + std::string(90, 'p');
  for (const Language language : {Language::kEnglish, Language::kChinese}) {
    for (const int columns : {60, 80, 121, 160}) {
      const std::string drawing = DrawScene(
          scene, {.columns = columns, .unicode = true, .language = language, .texts = kTexts});
      for (const absl::string_view row : absl::StrSplit(drawing, '\n')) {
        EXPECT_LE(DisplayWidth(row), columns) << row;
      }
    }
  }
}

// Where a row's lifelines are.
std::vector<int> LinesOf(const std::string& row) {
  std::vector<int> columns;
  absl::string_view rest = row;
  int column = 0;
  while (!rest.empty()) {
    const std::string shown = TakeShown(rest);
    if (shown == "│" || shown == "┤" || shown == "├" || shown == "┊") columns.push_back(column);
    column += DisplayWidth(shown);
  }
  return columns;
}

TEST(DrawScene, KeepsTheLinesStraightWithWideCharacters) {
  Scene scene = Merged();
  scene.steps[0].sample = "\xe4\xbd\xa0\xe5\xa5\xbd";
  const std::string drawing =
      DrawScene(scene, {.columns = 80, .language = Language::kChinese, .texts = kTexts});
  const std::vector<std::string> rows = absl::StrSplit(drawing, '\n');
  const std::vector<int> lines = LinesOf(rows[2]);
  ASSERT_EQ(lines.size(), 2U) << rows[2];
  for (size_t i = 2; i + 1 < rows.size(); ++i) EXPECT_EQ(LinesOf(rows[i]), lines) << rows[i];
}

TEST(DrawScene, UsesColorsOnlyWhereAllowed) {
  DrawingOptions options = Ascii();
  EXPECT_THAT(DrawScene(Merged(), options), Not(HasSubstr("\x1b")));
  options.colored = true;
  EXPECT_THAT(DrawScene(Merged(), options), HasSubstr("\x1b[1mTwo sends"));
}

TEST(DrawScene, DrawsBarsInProportion) {
  Scene scene;
  scene.id = "merged";
  scene.bars = {{"bar.long", absl::Milliseconds(40)},
                {"bar.short", absl::Milliseconds(10)},
                {"bar.short", absl::Microseconds(1)}};
  EXPECT_EQ(DrawScene(scene, {.columns = 60, .unicode = false, .texts = kTexts}),
            R"(Two sends

  long         40.0 ms  ####################################
  short one    10.0 ms  #########
  short one     1.0 us  #
)");
}

TEST(CallLabel, LetsThePayloadGiveWay) {
  const Step step{.what = "recv", .count = 3, .bytes = 12345, .sample = "hello world"};
  EXPECT_EQ(CallLabel(step, Language::kEnglish, 40), "3 x recv 12345 \"hello world\"");
  EXPECT_EQ(CallLabel(step, Language::kEnglish, 24), "3 x recv 12345 \"hell\"...");
  EXPECT_EQ(CallLabel(step, Language::kEnglish, 18), "3 x recv 12345");
  const Step closed{.side = Side::kService, .what = "close", .result = "peer closed"};
  EXPECT_EQ(CallLabel(closed, Language::kChinese, 40), "close 对端关闭");
}

}  // namespace
}  // namespace rawgate::cli::lab
