#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "cli/file_command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using PutCommand = FileCommandTest;

TEST_F(PutCommand, StoresAllBytesUnderTheLastPartOfTheName) {
  for (const size_t size : {0, 1, 999, 1000, 1001, 50'000}) {
    Write("notes.bin", Content(size));
    const CliResult result = gateway_.Run({"put", Path("notes.bin")});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(store_.files["notes.bin"], Content(size));
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.out, DigestOf(Content(size)) + "  notes.bin\n");
  }
  EXPECT_EQ(store_.largest_chunk, 1000u);
}

TEST_F(PutCommand, TakesAnotherName) {
  Write("a", "content");
  EXPECT_EQ(gateway_.Run({"put", Path("a"), "--to", "b/c", "-q"}).out, "");
  EXPECT_EQ(gateway_.Run({"put", Path("a"), "--to", "d/", "-q"}).code, 0);
  EXPECT_EQ(gateway_.Run({"put", Path("a"), "--to", "/", "-q"}).code, 0);
  EXPECT_THAT(store_.files,
              ElementsAre(Pair("a", "content"), Pair("b/c", "content"), Pair("d/a", "content")));
}

TEST_F(PutCommand, NamesOfThisSideMayBeAnything) {
  Write("b\xff", "content");
  const CliResult refused = gateway_.Run({"put", Path("b\xff")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.error,
              HasSubstr(R"(FILE: "b\xff" is not UTF-8; --to gives it another name)"));
  EXPECT_EQ(gateway_.Run({"put", Path("b\xff"), "--to", "b", "-q"}).code, 0);
  EXPECT_EQ(store_.files["b"], "content");
}

TEST_F(PutCommand, WordsThatTheParserWouldTakeApart) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  for (const std::string name : {"[a,b]", "{}", "[]", "%%", "-j"}) {
    Write(name, name);
    EXPECT_EQ(gateway_.Run({"put", "-q", "--", name}).code, 0) << name;
    EXPECT_EQ(store_.files[name], name);
  }
  store_.files.clear();
  EXPECT_EQ(gateway_.Run({"put", "-q", "[a,b]", "{}", "[]"}).code, 0);
  EXPECT_THAT(store_.files,
              ElementsAre(Pair("[]", "[]"), Pair("[a,b]", "[a,b]"), Pair("{}", "{}")));
  EXPECT_EQ(gateway_.Run({"put", "[none]"}).error,
            "rawgate put: [none]: No such file or directory\n");
  std::filesystem::current_path(before);
}

TEST_F(PutCommand, DoesNotReplaceWhenToldSo) {
  Write("a", "new");
  store_.files["a"] = "old";
  const CliResult result = gateway_.Run({"put", Path("a"), "--if-absent"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error,
            "rawgate put: it exists. Without --if-absent a file is replaced, a folder never.\n");
  EXPECT_EQ(store_.files["a"], "old");
}

TEST_F(PutCommand, ComparesWhatWasStored) {
  Write("a", "content");
  store_.corrupt = true;
  const CliResult result = gateway_.Run({"put", Path("a")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("what was stored is not what was sent"));
  EXPECT_EQ(result.out, "");
}

TEST_F(PutCommand, RefusesBeforeSending) {
  EXPECT_THAT(gateway_.Run({"put", Path("none")}).error, HasSubstr("No such file or directory"));
  EXPECT_EQ(gateway_.Run({"put", folder_}).error,
            "rawgate put: " + folder_ + ": is a folder; -r sends what is in it\n");
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(gateway_.Run({"put", Path("pipe")}).error, HasSubstr("not a regular file"));
  Write("big", std::string(1'000'001, 'x'));
  const CliResult result = gateway_.Run({"put", Path("big")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("the store takes at most"));
  EXPECT_THAT(store_.files, IsEmpty());
}

TEST_F(PutCommand, SeveralFilesGoIntoAFolder) {
  Write("a", "1");
  Write("x/b", "2");
  const CliResult result = gateway_.Run({"put", Path("a"), Path("x/b"), "--to", "into"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(store_.files, ElementsAre(Pair("into/a", "1"), Pair("into/b", "2")));
  EXPECT_THAT(result.out, AllOf(HasSubstr(DigestOf("1") + "  into/a\n"),
                                HasSubstr(DigestOf("2") + "  into/b\n")));
  EXPECT_THAT(result.error, HasSubstr("rawgate put: 2 files sent, 2 B in "));
}

TEST_F(PutCommand, OneThatFailsDoesNotStopTheOthers) {
  Write("a", "1");
  Write("big", std::string(1'000'001, 'x'));
  Write("c", "3");
  const CliResult result = gateway_.Run({"put", Path("a"), Path("big"), Path("none"), Path("c")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(store_.files, ElementsAre(Pair("a", "1"), Pair("c", "3")));
  EXPECT_THAT(result.error,
              HasSubstr("rawgate put: " + Path("none") + ": No such file or directory\n"));
  EXPECT_THAT(result.error, HasSubstr("rawgate put: " + Path("big") + ": the file has 976.6 KiB"));
  EXPECT_THAT(result.error, HasSubstr("2 files sent, 2 B in "));
  EXPECT_THAT(result.error, HasSubstr("; 2 failed\n"));
}

TEST_F(PutCommand, TwoFilesNeverGetOneName) {
  Write("x/a", "1");
  Write("y/a", "2");
  const CliResult result = gateway_.Run({"put", Path("x/a"), Path("y/a")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("would both become a"));
  EXPECT_THAT(store_.files, IsEmpty());
}

TEST_F(PutCommand, FoldersKeepTheirRelativeNames) {
  Write("site/index.html", "1");
  Write("site/img/a b.png", "2");
  Write("site/.rawgate-get-0123.part", "unfinished");
  std::filesystem::create_directory(Path("site/empty"));
  std::filesystem::create_symlink("/etc/passwd", Path("site/link"));
  std::filesystem::create_directory_symlink("/etc", Path("site/linked"));
  ASSERT_EQ(::mkfifo(Path("site/pipe").c_str(), 0600), 0);
  const CliResult result = gateway_.Run({"put", "-r", Path("site")});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(store_.files,
              ElementsAre(Pair("site/img/a b.png", "2"), Pair("site/index.html", "1")));
  EXPECT_THAT(result.error, HasSubstr("site/link: a symbolic link, skipped\n"));
  EXPECT_THAT(result.error, HasSubstr("site/linked: a symbolic link, skipped\n"));
  EXPECT_THAT(result.error, HasSubstr("site/pipe: neither file nor folder, skipped\n"));
  EXPECT_THAT(result.error, HasSubstr(".part: what an unfinished 'rawgate get' has kept, skipped"));
}

TEST_F(PutCommand, WhereAFolderGoes) {
  Write("site/a", "1");
  const auto names_after = [&](std::vector<std::string> words) {
    store_.files.clear();
    words.insert(words.begin(), {"put", "-q", "-r"});
    EXPECT_EQ(gateway_.Run(words).code, 0);
    return store_.files;
  };
  EXPECT_THAT(names_after({Path("site/")}), ElementsAre(Pair("site/a", "1")));
  EXPECT_THAT(names_after({Path("site"), "--to", "www"}), ElementsAre(Pair("www/a", "1")));
  EXPECT_THAT(names_after({Path("site"), "--to", "www/"}), ElementsAre(Pair("www/site/a", "1")));
  EXPECT_THAT(names_after({Path("site/.")}), ElementsAre(Pair("a", "1")));
  EXPECT_THAT(names_after({Path("site/."), "--to", "www"}), ElementsAre(Pair("www/a", "1")));
}

TEST_F(PutCommand, ANameBelowAFolderThatIsNoTextFailsAlone) {
  Write("site/a", "1");
  Write("site/b\xff", "2");
  const CliResult result = gateway_.Run({"put", "-r", Path("site")});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(store_.files, ElementsAre(Pair("site/a", "1")));
  EXPECT_THAT(result.error, HasSubstr("site/b\\xff: its name is not UTF-8"));
}

TEST_F(PutCommand, ManyFilesAtOnce) {
  for (int i = 0; i < 100; ++i) Write("many/" + std::to_string(i), Content(3000));
  const CliResult result = gateway_.Run({"put", "-r", "-j", "16", Path("many")});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.files.size(), 100u);
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 100);
  EXPECT_EQ(gateway_.Run({"put", "-j", "17", Path("many")}).code, 2);
  EXPECT_EQ(gateway_.Run({"put", "-j", "0", Path("many")}).code, 2);
}

TEST_F(PutCommand, ChecksumLeavesWhatIsThere) {
  store_.knows_digests = false;
  Write("a", "same");
  Write("b", "newer");
  Write("c", "longer");
  store_.files = {{"a", "same"}, {"b", "older"}, {"c", "short"}};
  const CliResult result =
      gateway_.Run({"put", "--checksum", Path("a"), Path("b"), Path("c"), "-j", "1"});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.bytes_taken, 11u);
  EXPECT_THAT(result.out, HasSubstr(DigestOf("same") + "  a\n"));
  EXPECT_THAT(result.error, HasSubstr("2 files sent, 11 B in "));
  EXPECT_THAT(result.error, HasSubstr("; 1 unchanged\n"));
  EXPECT_EQ(gateway_.Run({"put", "--checksum", Path("a")}).error,
            "rawgate put: " + Path("a") + ": unchanged\n");
}

}  // namespace
}  // namespace rawgate::cli
