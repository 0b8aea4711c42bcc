#include "cli/completion_point.h"

#include <string>
#include <vector>

#include "cli/completion_candidates.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class CompletionTest : public testing::Test {
 protected:
  CompletionTest() {
    app_.add_option("--gateway", text_)->type_name("ADDRESS");
    CLI::App* put = app_.add_subcommand("put", "Store files");
    put->add_option("FILE", files_, "What to send");
    put->add_option("--to", text_, "Its name over there");
    put->add_option("-j,--parallel", text_, "Files at once");
    put->add_flag("-q,--quiet", flag_, "Print nothing");
    CLI::App* mv = app_.add_subcommand("mv", "Move");
    mv->add_option("NAME", text_);
    mv->add_option("NEW_NAME", other_text_);
    CLI::App* context = app_.add_subcommand("context", "Contexts");
    context->add_subcommand("use", "Choose one")->add_option("CONTEXT", text_);
    context->add_subcommand("show", "Show one");
    CLI::App* bench = app_.add_subcommand("bench", "Measure");
    bench->add_option("SERVICE", text_)->check(CLI::IsMember({"echo", "exec", "file"}));
    app_.add_subcommand("complete", "Not shown")->group("");
  }

  CompletionPoint At(const std::vector<std::string>& words) const {
    return FindCompletionPoint(app_, words);
  }
  std::vector<std::string> Candidates(const std::vector<std::string>& words) const {
    const CompletionPoint point = At(words);
    return ValuesOf(CandidatesAt(point, app_, {"lab", "home"}, []() -> const LiveNames* {
                      return nullptr;
                    }).words);
  }

  CLI::App app_{"Test", "rawgate"};
  std::string text_;
  std::string other_text_;
  std::vector<std::string> files_;
  bool flag_ = false;
};

TEST_F(CompletionTest, FindsTheCommand) {
  EXPECT_EQ(At({""}).command, &app_);
  EXPECT_EQ(At({"pu"}).command, &app_);
  EXPECT_EQ(At({"put", ""}).command->get_name(), "put");
  EXPECT_EQ(At({"context", "use", ""}).command->get_name(), "use");
  EXPECT_EQ(At({"--gateway", "put", ""}).command, &app_);
  EXPECT_EQ(At({}).command, &app_);
}

TEST_F(CompletionTest, FindsTheArgument) {
  EXPECT_EQ(At({"mv", "x"}).option->get_name(true, false), "NAME");
  EXPECT_EQ(At({"mv", "a", "x"}).option->get_name(true, false), "NEW_NAME");
  EXPECT_EQ(At({"mv", "a", "b", "x"}).option, nullptr);
  EXPECT_EQ(At({"put", "a", "b", "c"}).option->get_name(true, false), "FILE");
  EXPECT_EQ(At({"put", "--to", "x", "-q", "a"}).option->get_name(true, false), "FILE");
  EXPECT_EQ(At({"put", "-j4", "--to=x", "a"}).option->get_name(true, false), "FILE");
  EXPECT_THAT(At({"put", "-j", "4", "a", "b", ""}).arguments, ElementsAre("a", "b"));
  EXPECT_THAT(At({"put", "--", "--to", ""}).arguments, ElementsAre("--to"));
}

TEST_F(CompletionTest, FindsTheOptionWhoseValueIsWanted) {
  EXPECT_EQ(At({"put", "--to", "x"}).option->get_name(), "--to");
  EXPECT_EQ(At({"put", "-j", ""}).option->get_name(), "--parallel");
  const CompletionPoint joined = At({"put", "--to=reports/a"});
  EXPECT_EQ(joined.option->get_name(), "--to");
  EXPECT_EQ(joined.before, "--to=");
  EXPECT_EQ(joined.typed, "reports/a");
  EXPECT_TRUE(At({"put", "--t"}).wants_options);
  EXPECT_FALSE(At({"put", "--", "--t"}).wants_options);
}

TEST_F(CompletionTest, TakesSettings) {
  EXPECT_THAT(At({"--gateway", "lab:1", "mv", ""}).settings, ElementsAre(Pair("gateway", "lab:1")));
  EXPECT_THAT(At({"--gateway=lab:1", "mv", ""}).settings, ElementsAre(Pair("gateway", "lab:1")));
  EXPECT_THAT(At({"mv", "--gateway", ""}).settings, IsEmpty());
}

TEST_F(CompletionTest, OffersWhatBeginsWithIt) {
  EXPECT_THAT(Candidates({""}), ElementsAre("put", "mv", "context", "bench"));
  EXPECT_THAT(Candidates({"bench", "e"}), ElementsAre("echo", "exec"));
  EXPECT_THAT(Candidates({"p"}), ElementsAre("put"));
  EXPECT_THAT(Candidates({"put", "--t"}), ElementsAre("--to"));
  EXPECT_THAT(Candidates({"context", "use", "l"}), ElementsAre("lab"));
  EXPECT_THAT(Candidates({"context", "use", "lab", ""}), IsEmpty());
  EXPECT_THAT(Candidates({"nosuch", ""}), ElementsAre("put", "mv", "context", "bench"));
}

TEST_F(CompletionTest, ANameThatCannotBeHadIsNoError) {
  EXPECT_THAT(Candidates({"mv", ""}), IsEmpty());
}

}  // namespace
}  // namespace rawgate::cli
