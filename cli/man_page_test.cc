#include "cli/man_page.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kFooter[] = R"(Examples:
  rawgate put notes.txt
  rawgate put 'a b' --to x\y

.Dots and 'quotes' begin lines as
'they like.

  key     value
  other   value

Exit codes: 7 when it rains.)";

class ManPageTest : public testing::Test {
 protected:
  ManPageTest() {
    app_.footer("Examples:\n  rawgate ps");
    put_ = app_.add_subcommand("put", "Store files");
    put_->group("Files")->footer(kFooter);
    put_->add_option("FILE", files_, "What to send")->required();
    put_->add_option("-o,--output", text_, "Where\nto")->type_name("FILE");
    put_->add_option("--gateway", text_, "Not shown")->group("");
    app_.add_subcommand("get", "Fetch files")->group("Files");
    app_.add_subcommand("complete", "Not shown")->group("");
    app_.add_subcommand("init-tls", "Make keys")->group("Access");
  }

  std::string Page() const { return ManPage(*put_, "1.2.3", "2026-11-27"); }

  CLI::App app_{"Control, observe and use.", "rawgate"};
  CLI::App* put_ = nullptr;
  std::vector<std::string> files_;
  std::string text_;
};

TEST_F(ManPageTest, NamesAreThoseOfAllCommandsBefore) {
  EXPECT_EQ(ManPageName(app_), "rawgate");
  EXPECT_EQ(ManPageName(*put_), "rawgate-put");
}

TEST_F(ManPageTest, BeginsWithTitleAndName) {
  EXPECT_THAT(Page(), StartsWith(".TH RAWGATE-PUT 1 \"2026-11-27\" \"rawgate 1.2.3\" "
                                 "\"rawgate manual\"\n"
                                 ".SH NAME\nrawgate\\-put \\- store files\n"
                                 ".SH SYNOPSIS\n\\fBrawgate put\\fP [\\fIOPTIONS\\fP] "
                                 "\\fIFILE\\fP ...\n"));
}

TEST_F(ManPageTest, TextIsNoRequest) {
  EXPECT_THAT(Page(), HasSubstr("\n\\&.Dots and \\(aqquotes\\(aq begin lines as\n"
                                "\\&\\(aqthey like.\n"));
  EXPECT_THAT(Page(), HasSubstr(".SH EXAMPLES\n.nf\n  rawgate put notes.txt\n"
                                "  rawgate put \\(aqa b\\(aq \\-\\-to x\\ey\n.fi\n"));
}

TEST_F(ManPageTest, ColumnsStayColumns) {
  EXPECT_THAT(Page(), HasSubstr(".nf\n  key     value\n  other   value\n.fi\n"));
}

TEST_F(ManPageTest, OptionsAreItsOwn) {
  EXPECT_THAT(Page(),
              HasSubstr(".TP\n\\fB\\-o\\fP, \\fB\\-\\-output\\fP \\fIFILE\\fP\nWhere to\n"));
  EXPECT_THAT(Page(), Not(HasSubstr("Not shown")));
}

TEST_F(ManPageTest, ExitStatusIsItsOwnOrThatOfAll) {
  EXPECT_THAT(Page(), HasSubstr(".SH EXIT STATUS\nExit codes: 7 when it rains.\n"));
  EXPECT_THAT(ManPage(app_, "1", ""), HasSubstr("\\fB128+\\fP\\fIN\\fP\n"));
}

TEST_F(ManPageTest, SeesTheOthersOfItsGroup) {
  EXPECT_THAT(Page(), HasSubstr(".SH SEE ALSO\n.BR rawgate (1),\n.BR rawgate\\-get (1)\n"));
  const std::string whole = ManPage(app_, "1", "");
  EXPECT_THAT(whole, HasSubstr(".SS Files\n.TP\n.BR rawgate\\-put (1)\nStore files\n"));
  EXPECT_THAT(whole, HasSubstr("init\\-tls"));
  EXPECT_THAT(whole, Not(HasSubstr("complete")));
}

}  // namespace
}  // namespace rawgate::cli
