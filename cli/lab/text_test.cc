#include "cli/lab/text.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/display_text.h"
#include "cli/lab/common_text.h"
#include "cli/lab/lesson.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli::lab {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

TEST(Fill, PutsFactsIn) {
  const Facts facts = {{"sends", int64_t{10}},
                       {"held", absl::Microseconds(40'120)},
                       {"answer", std::string("a\nb")}};
  EXPECT_EQ(Fill("{sends} sends, {held}, '{answer}'", facts), "10 sends, 40.1 ms, 'a\\nb'");
  EXPECT_EQ(Fill("{unknown} and {open", facts), "{unknown} and {open");
  EXPECT_EQ(Fill("", facts), "");
}

TEST(Fill, DoesNotFillWhatAFactSays) {
  EXPECT_EQ(Fill("{a}", {{"a", std::string("{b}")}, {"b", int64_t{1}}}), "{b}");
}

TEST(PlaceholdersOf, NamesEachOnce) {
  EXPECT_THAT(PlaceholdersOf("{b} {a} {b}"), ElementsAre("b", "a"));
  EXPECT_THAT(PlaceholdersOf("none {"), ElementsAre());
}

TEST(Figure, IsShort) {
  EXPECT_EQ(Figure(absl::Nanoseconds(12'400)), "12.4 us");
  EXPECT_EQ(Figure(absl::Microseconds(349)), "349 us");
  EXPECT_EQ(Figure(absl::Microseconds(1'234)), "1.23 ms");
  EXPECT_EQ(Figure(absl::Microseconds(43'210)), "43.2 ms");
  EXPECT_EQ(Figure(absl::Milliseconds(1'443)), "1.44 s");
  EXPECT_EQ(Figure(absl::Microseconds(-5)), "-5.0 us");
}

// All texts of all lessons, each catalog once.
std::vector<absl::Span<const Text>> Catalogs() {
  std::vector<absl::Span<const Text>> catalogs = {CommonTexts()};
  for (const Lesson& lesson : Lessons()) {
    const bool known = std::any_of(catalogs.begin(), catalogs.end(), [&](const auto& each) {
      return each.data() == lesson.texts.data();
    });
    if (!known) catalogs.push_back(lesson.texts);
  }
  return catalogs;
}

bool HasChinese(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0xe4; });
}

TEST(Catalogs, SayEverythingInBothLanguages) {
  for (const auto& catalog : Catalogs()) {
    std::set<absl::string_view> keys;
    for (const Text& text : catalog) {
      EXPECT_TRUE(keys.insert(text.key).second) << text.key << " is there twice";
      EXPECT_FALSE(text.english.empty()) << text.key;
      EXPECT_FALSE(text.chinese.empty()) << text.key;
      EXPECT_TRUE(IsUtf8(text.chinese)) << text.key;
      EXPECT_FALSE(HasChinese(text.english)) << text.key;
      // Figures and names of transports are alike in both.
      EXPECT_TRUE(HasChinese(text.chinese) || text.chinese == text.english) << text.key;
    }
  }
}

TEST(Catalogs, HaveTheSameFactsInBothLanguages) {
  for (const auto& catalog : Catalogs()) {
    for (const Text& text : catalog) {
      EXPECT_THAT(PlaceholdersOf(text.chinese),
                  UnorderedElementsAreArray(PlaceholdersOf(text.english)))
          << text.key;
    }
  }
}

TEST(Lessons, HaveTheirOwnTextsAndCode) {
  for (const Lesson& lesson : Lessons()) {
    for (const char* what : {"title", "see", "cure", "try"}) {
      const std::string key = absl::StrCat(lesson.id, ".", what);
      EXPECT_FALSE(Find(lesson.texts, key, Language::kEnglish).empty()) << key;
    }
    EXPECT_LE(
        DisplayWidth(Find(lesson.texts, absl::StrCat(lesson.id, ".title"), Language::kChinese)),
        80);
    const std::vector<std::string> rows = absl::StrSplit(lesson.code, '\n');
    EXPECT_GE(rows.size(), 2U) << lesson.id;
    EXPECT_LE(rows.size(), 11U) << lesson.id;
    for (const std::string& row : rows) EXPECT_LE(row.size(), 76U) << row;
    EXPECT_FALSE(lesson.experiments.empty()) << lesson.id;
    EXPECT_EQ(FindLesson(lesson.id), &lesson);
  }
  EXPECT_EQ(FindLesson("no-such-lesson"), nullptr);
}

}  // namespace
}  // namespace rawgate::cli::lab
