#include "cli/lab/svg_drawing.h"

#include <array>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli::lab {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::array kTexts = std::to_array<Text>({
    {"scene.one", "One <scene>", "一幕"},
    {"bar.a", "a & b", "甲"},
});

Take OneScene(int sends) {
  Scene scene;
  scene.id = "one";
  scene.service = "echo/tcp";
  for (int i = 1; i <= sends; ++i) {
    scene.steps.push_back(
        {.at = absl::Microseconds(i), .what = "send", .bytes = i, .sample = "<&>\"\x1b\xff"});
  }
  Take take;
  take.scenes = {scene};
  return take;
}

TEST(DrawSvg, IsWellFormedWhateverCame) {
  const std::string svg = DrawSvg(OneScene(1), "A \"title\" & more", Language::kEnglish, kTexts);
  EXPECT_THAT(svg, StartsWith("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg "));
  EXPECT_THAT(svg, HasSubstr("A &quot;title&quot; &amp; more</text>"));
  EXPECT_THAT(svg, HasSubstr(">One &lt;scene&gt;</text>"));
  EXPECT_THAT(svg, HasSubstr("send 1 &quot;&lt;&amp;&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("\x1b")));
  EXPECT_THAT(svg, Not(HasSubstr("\xff")));
  EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
}

TEST(DrawSvg, SaysWhatOfALongSceneIsLeftOut) {
  const std::string svg = DrawSvg(OneScene(500), "long", Language::kEnglish, kTexts);
  EXPECT_THAT(svg, HasSubstr(">0.001</text>"));
  EXPECT_THAT(svg, HasSubstr(">0.500</text>"));
  EXPECT_THAT(svg, testing::ContainsRegex(">\\.\\.\\. [0-9]+ \\.\\.\\.</text>"));
  EXPECT_THAT(svg, Not(HasSubstr(">0.250</text>")));
}

TEST(DrawSvg, DrawsBars) {
  Take take;
  Scene scene;
  scene.id = "one";
  scene.bars = {{"bar.a", absl::Milliseconds(40)}, {"bar.a", int64_t{2048}}};
  take.scenes = {scene};
  const std::string svg = DrawSvg(take, "bars", Language::kEnglish, kTexts);
  EXPECT_THAT(svg, HasSubstr(">a &amp; b</text>"));
  EXPECT_THAT(svg, HasSubstr(">40.0 ms</text>"));
  EXPECT_THAT(svg, HasSubstr(">2.0 KiB</text>"));
  EXPECT_THAT(svg, HasSubstr("class=\"bar\""));
}

}  // namespace
}  // namespace rawgate::cli::lab
