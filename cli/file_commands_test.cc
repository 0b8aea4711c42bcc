#include <string>

#include "cli/file_command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::SizeIs;

using FileCommands = FileCommandTest;

TEST_F(FileCommands, LsShowsEveryPage) {
  store_.files = {{"a\nb", "12345"}, {"c", ""}};
  const CliResult result = gateway_.Run({"ls"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("a\\nb\n"));
  EXPECT_THAT(result.out, HasSubstr("c\n"));
  EXPECT_THAT(gateway_.Run({"ls", "--json"}).out, HasSubstr(R"("filename":"a\nb")"));
}

TEST_F(FileCommands, LsGoesThroughFolders) {
  store_.files = {{"a/b/c", "1"}, {"a/d", "2"}, {"e", "3"}};
  EXPECT_THAT(gateway_.Run({"ls", "a/"}).out, Not(HasSubstr("a/b/c")));
  const std::string all = gateway_.Run({"ls", "-r", "/"}).out;
  for (const std::string name : {"  a/\n", "  a/b/\n", "  a/b/c\n", "  a/d\n", "  e\n"}) {
    EXPECT_THAT(all, HasSubstr(name));
  }
}

TEST_F(FileCommands, StatShowsWhatIsKnown) {
  store_.files["x"] = Content(4096);
  const CliResult result = gateway_.Run({"stat", "x"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("size      4096 bytes (4.0 KiB)\n"));
  EXPECT_THAT(result.out, HasSubstr("sha256    " + DigestOf(Content(4096)) + "\n"));
  EXPECT_THAT(gateway_.Run({"stat", "x", "--json"}).out, HasSubstr("\"size\": \"4096\""));
}

TEST_F(FileCommands, StatHasTheDigestComputed) {
  store_.files["x"] = "content";
  store_.knows_digests = false;
  EXPECT_THAT(gateway_.Run({"stat", "x"}).out, Not(HasSubstr("sha256")));
  EXPECT_THAT(gateway_.Run({"stat", "x", "--sha256"}).out,
              HasSubstr("sha256    " + DigestOf("content") + "\n"));
}

TEST_F(FileCommands, RmRemovesSeveral) {
  store_.files = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  EXPECT_EQ(gateway_.Run({"rm", "a"}).code, 0);
  const CliResult result = gateway_.Run({"rm", "none", "b"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate rm: none: no such file: none. 'rawgate ls' lists what is there.\n");
  EXPECT_THAT(store_.files, ElementsAre(Pair("c", "3")));
  EXPECT_EQ(gateway_.Run({"rm", "none"}).error,
            "rawgate rm: no such file: none. 'rawgate ls' lists what is there.\n");
  EXPECT_EQ(gateway_.Run({"rm", "-f", "none", "c"}).code, 0);
  EXPECT_THAT(store_.files, IsEmpty());
}

TEST_F(FileCommands, RmRemovesAFolderOnlyWhenToldSo) {
  store_.files = {{"a/b/c", "1"}, {"a/b/d", "2"}, {"a/e", "3"}, {"f", "4"}};
  const CliResult refused = gateway_.Run({"rm", "a"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("'rawgate rm -r' removes what is in it, too."));
  EXPECT_THAT(store_.files, SizeIs(4));
  const CliResult result = gateway_.Run({"rm", "-r", "a/"});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(store_.files, ElementsAre(Pair("f", "4")));
}

TEST_F(FileCommands, RmDoesNotFollowAForgedListing) {
  store_.files = {{"a/b", "1"}, {"f", "2"}};
  store_.forged_entry = "f";
  EXPECT_THAT(gateway_.Run({"rm", "-r", "a"}).error, HasSubstr("an entry called 'f'"));
  EXPECT_EQ(store_.files.count("f"), 1u);
}

TEST_F(FileCommands, MvRenames) {
  store_.files = {{"a", "1"}, {"folder/x", "2"}};
  EXPECT_EQ(gateway_.Run({"mv", "a", "b"}).code, 0);
  EXPECT_THAT(store_.files, ElementsAre(Pair("b", "1"), Pair("folder/x", "2")));
  EXPECT_EQ(gateway_.Run({"mv", "b", "folder"}).code, 0);
  EXPECT_THAT(store_.files, ElementsAre(Pair("folder/b", "1"), Pair("folder/x", "2")));
  EXPECT_EQ(gateway_.Run({"mv", "folder/b", "new/"}).code, 0);
  EXPECT_EQ(gateway_.Run({"mv", "folder/x", "/"}).code, 0);
  EXPECT_THAT(store_.files, ElementsAre(Pair("new/b", "1"), Pair("x", "2")));
  const CliResult refused = gateway_.Run({"mv", "x", "new/b", "--if-absent"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.error, HasSubstr("it exists"));
  EXPECT_THAT(gateway_.Run({"mv", "none", "y"}).error, HasSubstr("no such file: none"));
}

TEST_F(FileCommands, UploadsShowsAndGivesUp) {
  store_.uploads = {{"put-1", {"a\x1b", 200, Content(126)}}, {"put-2", {"b", 0, ""}}};
  const CliResult result = gateway_.Run({"uploads"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("put-1 "));
  EXPECT_THAT(result.out, HasSubstr("   63%      200 B  "));
  EXPECT_THAT(result.out, HasSubstr("  a\\x1b\n"));
  EXPECT_THAT(result.out, HasSubstr("put-2 "));
  EXPECT_THAT(gateway_.Run({"uploads", "--json"}).out, HasSubstr(R"("committedSize":"126")"));
  EXPECT_EQ(gateway_.Run({"uploads", "--abort", "put-1"}).code, 0);
  EXPECT_THAT(store_.uploads, SizeIs(1));
  EXPECT_THAT(gateway_.Run({"uploads", "--abort", "put-1"}).error,
              HasSubstr("no such upload. 'rawgate uploads' lists those that are unfinished.\n"));
  EXPECT_EQ(gateway_.Run({"uploads", "--abort", "put-1", "put-2"}).code, 1);
  EXPECT_THAT(store_.uploads, IsEmpty());
}

}  // namespace
}  // namespace rawgate::cli
