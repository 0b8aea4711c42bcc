#include <string>

#include "cli/file_command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

using FileCommands = FileCommandTest;

TEST_F(FileCommands, LsShowsEveryPage) {
  store_.files = {{"a\nb", "12345"}, {"c", ""}};
  const CliResult result = gateway_.Run({"ls"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("a\\nb\n"));
  EXPECT_THAT(result.out, HasSubstr("c\n"));
  EXPECT_THAT(gateway_.Run({"ls", "--json"}).out, HasSubstr(R"("filename":"a\nb")"));
}

TEST_F(FileCommands, StatShowsWhatIsKnown) {
  store_.files["x"] = Content(4096);
  const CliResult result = gateway_.Run({"stat", "x"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("size      4096 bytes (4.0 KiB)\n"));
  EXPECT_THAT(result.out, HasSubstr("sha256    " + DigestOf(Content(4096)) + "\n"));
  EXPECT_THAT(gateway_.Run({"stat", "x", "--json"}).out, HasSubstr("\"size\": \"4096\""));
}

}  // namespace
}  // namespace rawgate::cli
