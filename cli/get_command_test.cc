#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>
#include <iterator>
#include <string>

#include "cli/file_command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

using GetCommand = FileCommandTest;

TEST_F(GetCommand, WritesTheFile) {
  for (const size_t size : {0, 1, 1000, 50'001}) {
    store_.files["a/b.bin"] = Content(size);
    const CliResult result = gateway_.Run({"get", "a/b.bin", "-o", folder_});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(Read("b.bin"), Content(size));
    EXPECT_THAT(Names(), ElementsAre("b.bin"));
    EXPECT_EQ(result.out, DigestOf(Content(size)) + "  " + Path("b.bin") + "\n");
    EXPECT_EQ(result.error, "");
  }
}

TEST_F(GetCommand, ToStandardOutput) {
  store_.files["a"] = Content(3000);
  for (const size_t breaks : {3000, 1000}) {
    store_.download_breaks = {breaks};
    const CliResult result = gateway_.Run({"get", "a", "-o", "-"});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.out, Content(3000));
  }
  EXPECT_EQ(gateway_.Run({"get", "a", "b", "-o", "-"}).code, 2);
}

TEST_F(GetCommand, NamesOfThisSideMayBeAnything) {
  store_.files["b"] = "content";
  EXPECT_EQ(gateway_.Run({"get", "b", "-o", Path("c\xff"), "-q"}).code, 0);
  EXPECT_EQ(Read("c\xff"), "content");
}

TEST_F(GetCommand, AnOlderFileSurvivesEveryFailure) {
  Write("a", "old");
  store_.files["a"] = Content(5000);
  const auto expect_failure = [&](const std::string& error) {
    const CliResult result = gateway_.Run({"get", "a", "-o", Path("a"), "--retries", "0"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.error, HasSubstr(error));
    EXPECT_EQ(Read("a"), "old");
    EXPECT_THAT(Names(), ElementsAre("a"));
  };
  store_.truncate = true;
  expect_failure("4999 of 5000 bytes");
  store_.truncate = false;
  store_.corrupt = true;
  expect_failure("SHA-256");
  store_.corrupt = false;
  store_.without_trailer = true;
  expect_failure("ended without its digest");
  store_.download_breaks = {5000};
  expect_failure("lost the gateway");
  store_.files.clear();
  expect_failure("no such file: a. 'rawgate ls' lists what is there.");
}

TEST_F(GetCommand, AnInterruptLeavesNothingBehind) {
  Write("a", "old");
  store_.files["a"] = Content(500'000);
  Interrupt interrupt;
  store_.interrupt = &interrupt;
  const CliResult result = gateway_.Run({"get", "a", "-o", Path("a")}, "", interrupt);
  gateway_.Stop();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(Read("a"), "old");
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(GetCommand, KeepsPermissionsAndLinks) {
  Write("real", "old");
  ASSERT_EQ(::chmod(Path("real").c_str(), 0640), 0);
  std::filesystem::create_symlink("real", Path("link"));
  store_.files["a"] = "new";
  for (const std::string option : {"--resume", "--no-resume"}) {
    store_.files["a"] += option;
    EXPECT_EQ(gateway_.Run({"get", "a", "-o", Path("link"), option}).code, 0);
    EXPECT_TRUE(std::filesystem::is_symlink(Path("link")));
    EXPECT_EQ(Read("real"), store_.files["a"]);
    struct stat status {};
    ASSERT_EQ(::stat(Path("real").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
  }
}

TEST_F(GetCommand, WritesToWhatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  store_.files["a"] = "through";
  // Opened both ways, so that neither end waits for the other.
  const Fd reader(::open(Path("pipe").c_str(), O_RDWR | O_CLOEXEC));
  for (const std::string option : {"--resume", "--no-resume"}) {
    EXPECT_EQ(gateway_.Run({"get", "a", "-o", Path("pipe"), option}).code, 0);
    char bytes[16];
    EXPECT_EQ(std::string(bytes, static_cast<size_t>(::read(reader.get(), bytes, sizeof bytes))),
              "through");
  }
  EXPECT_TRUE(std::filesystem::is_fifo(Path("pipe")));
}

TEST_F(GetCommand, AFolderThatIsNotThereIsMadeWhereItIsMeant) {
  store_.files["a"] = "x";
  EXPECT_THAT(gateway_.Run({"get", "a", "-o", Path("no/where")}).error,
              HasSubstr("No such file or directory"));
  EXPECT_EQ(gateway_.Run({"get", "a", "-o", Path("no/where/")}).code, 0);
  EXPECT_EQ(Read("no/where/a"), "x");
}

TEST_F(GetCommand, SeveralGoIntoAFolder) {
  store_.files = {{"x/a", "1"}, {"y/b", "2"}};
  const CliResult result = gateway_.Run({"get", "x/a", "y/b", "none", "-o", Path("into")});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(Read("into/a"), "1");
  EXPECT_EQ(Read("into/b"), "2");
  EXPECT_THAT(result.error, HasSubstr("rawgate get: none: no such file: none. 'rawgate ls'"));
  EXPECT_THAT(result.error, HasSubstr("rawgate get: 2 files fetched, 2 B in "));
  EXPECT_THAT(gateway_.Run({"get", "x/a", "x/a", "-o", Path("into")}).error,
              HasSubstr("would both become"));
}

TEST_F(GetCommand, Folders) {
  store_.files = {{"www/index", "1"}, {"www/img/a b", "2"}, {"other", "3"}};
  EXPECT_EQ(gateway_.Run({"get", "www"}).error,
            "rawgate get: www: is a folder; -r fetches what is in it\n");
  const CliResult result = gateway_.Run({"get", "-r", "www/", "-o", Path("site")});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(Read("site/index"), "1");
  EXPECT_EQ(Read("site/img/a b"), "2");
  EXPECT_EQ(gateway_.Run({"get", "-r", "www", "-o", Path("site")}).code, 0);
  EXPECT_EQ(gateway_.Run({"get", "-r", "www", "-o", Path("in/")}).code, 0);
  EXPECT_EQ(gateway_.Run({"get", "-r", "/", "-o", Path("all")}).code, 0);
  EXPECT_THAT(Names(), ElementsAre("all", "in", "site"));
  EXPECT_EQ(Read("in/www/index"), "1");
  EXPECT_EQ(Read("all/www/img/a b"), "2");
  EXPECT_EQ(Read("all/other"), "3");
}

TEST_F(GetCommand, AListingDoesNotChooseWhereFilesGo) {
  store_.files = {{"www/index", "1"}};
  for (const std::string forged : {"www/../../escaped", "www/..", "www/.", "www/", "/etc/escaped",
                                   "other/escaped", "wwwescaped"}) {
    store_.forged_entry = forged;
    const CliResult result = gateway_.Run({"get", "-r", "www", "-o", Path("site")});
    EXPECT_EQ(result.code, 1) << forged;
    EXPECT_THAT(result.error, HasSubstr("the listing of 'www' has an entry called"));
    EXPECT_THAT(Names(), ElementsAre("site"));
    EXPECT_EQ(std::distance(std::filesystem::recursive_directory_iterator(folder_), {}), 2);
  }
}

TEST_F(GetCommand, ChecksumLeavesWhatIsHere) {
  store_.knows_digests = false;
  store_.files = {{"a", "same"}, {"b", "newer"}};
  Write("a", "same");
  Write("b", "older");
  struct stat before {};
  ASSERT_EQ(::stat(Path("a").c_str(), &before), 0);
  const CliResult result = gateway_.Run({"get", "--checksum", "a", "b", "-o", folder_});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.bytes_given, 5u);
  EXPECT_EQ(Read("b"), "newer");
  struct stat after {};
  ASSERT_EQ(::stat(Path("a").c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_THAT(result.out, AllOf(HasSubstr(DigestOf("same") + "  "), HasSubstr(DigestOf("newer"))));
  EXPECT_THAT(result.error, HasSubstr("1 file fetched, 5 B in "));
  EXPECT_THAT(result.error, HasSubstr("; 1 unchanged\n"));
}

}  // namespace
}  // namespace rawgate::cli
