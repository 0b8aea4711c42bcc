#include "cli/doctor/check.h"

#include <boost/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

CheckList Some() {
  CheckList checks;
  checks.Ok("a.good", "echo", "fine");
  checks.Warn("a.warned", "time", "a bit late", "Wait.");
  checks.Fail("a.failed", "", "gone \x1b[2J", "Look for it.");
  checks.Skip("a.skipped", "file", "not asked");
  return checks;
}

TEST(ChecksText, HasALineForEachAndItsRemedy) {
  EXPECT_EQ(ChecksText(Some(), 0, false),
            "ok    echo: fine\n"
            "WARN  time: a bit late\n"
            "   -> Wait.\n"
            "FAIL  gone \\x1b[2J\n"
            "   -> Look for it.\n"
            "-     file: not asked\n"
            "\n4 checks: 1 failure, 1 warning, 1 could not be made.\n");
}

TEST(ChecksText, ColoursAreMarksAlone) {
  EXPECT_THAT(ChecksText(Some(), 0, true), HasSubstr("\x1b[31mFAIL\x1b[0m  gone"));
}

TEST(ChecksText, FitsTheTerminal) {
  CheckList checks;
  checks.Ok("x", "echo", "one two three four five six seven eight nine ten");
  EXPECT_EQ(ChecksText(checks, 40, false),
            "ok    echo: one two three four five six\n"
            "      seven eight nine ten\n"
            "\n1 check: 0 failures, 0 warnings.\n");
}

TEST(ChecksJson, CannotTouchTheTerminal) {
  CheckList checks;
  checks.Ok("x", "echo", "c1 \u009b31m, bidi \u202e");
  EXPECT_THAT(ChecksJson(checks), HasSubstr("c1 \\u009b31m, bidi \\u202e"));
}

TEST(ChecksJson, HasAllOfIt) {
  const auto page = boost::json::parse(ChecksJson(Some())).as_object();
  EXPECT_FALSE(page.at("ok").as_bool());
  ASSERT_EQ(page.at("checks").as_array().size(), 4u);
  const auto& warned = page.at("checks").as_array()[1].as_object();
  EXPECT_EQ(warned.at("id"), "a.warned");
  EXPECT_EQ(warned.at("subject"), "time");
  EXPECT_EQ(warned.at("state"), "warning");
  EXPECT_EQ(warned.at("detail"), "a bit late");
  EXPECT_EQ(warned.at("remedy"), "Wait.");
  EXPECT_TRUE(boost::json::parse(ChecksJson(CheckList())).as_object().at("ok").as_bool());
}

TEST(ChecksPlain, HasTabs) {
  EXPECT_THAT(ChecksPlain(Some()), HasSubstr("warning\ta.warned\ttime\ta bit late\tWait.\n"));
}

}  // namespace
}  // namespace rawgate::cli
