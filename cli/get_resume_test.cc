#include <fcntl.h>
#include <sys/file.h>

#include <string>

#include "cli/file_command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

class GetResume : public FileCommandTest {
 protected:
  CliResult Get(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"get", "--resume", "big", "-o", Path("big")});
    return gateway_.Run(options);
  }

  // A run that breaks off after `size` bytes for good; returns what it left.
  std::string GetInPart(size_t size) {
    store_.download_breaks = {size};
    const CliResult result = Get({"--retries", "0"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.error, HasSubstr("run the same command again to go on"));
    store_.bytes_given = 0;
    store_.download_calls = 0;
    const std::vector<std::string> names = Names();
    EXPECT_THAT(names, ElementsAre(StartsWith(".rawgate-get-")));
    const std::string kept = names.empty() ? "" : names.front();
    EXPECT_EQ(Read(kept), store_.files["big"].substr(0, size));
    EXPECT_THAT(result.error, HasSubstr("% is kept in " + Path(kept)));
    return kept;
  }

  void ExpectFetched() {
    EXPECT_THAT(Names(), ElementsAre("big"));
    EXPECT_EQ(Read("big"), store_.files["big"]);
  }
};

TEST_F(GetResume, TheNextRunGoesOn) {
  for (const bool knows_digests : {true, false}) {
    store_.knows_digests = knows_digests;
    store_.files["big"] = Content(50'000);
    std::filesystem::remove(Path("big"));
    GetInPart(20'000);
    const CliResult result = Get();
    EXPECT_EQ(result.code, 0) << result.error;
    ExpectFetched();
    EXPECT_EQ(store_.bytes_given, 30'000u);
    EXPECT_EQ(result.error, "rawgate get: big: resumed at 40%\n");
    EXPECT_EQ(result.out, DigestOf(Content(50'000)) + "  " + Path("big") + "\n");
  }
}

TEST_F(GetResume, NothingButTheEndWasMissing) {
  store_.files["big"] = Content(50'000);
  GetInPart(50'000);
  EXPECT_EQ(Get().code, 0);
  EXPECT_EQ(store_.bytes_given, 0u);
  ExpectFetched();
}

TEST_F(GetResume, ABrokenConnectionIsTriedAgain) {
  for (const std::string option : {"--resume", "--no-resume"}) {
    store_.files["big"] = Content(50'000);
    store_.bytes_given = 0;
    store_.download_breaks = {5'000, 1'000, 0, 20'000};
    const CliResult result = gateway_.Run({"get", "big", "-o", Path("big"), option});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(store_.bytes_given, 50'000u);
    EXPECT_EQ(result.error, "");
    ExpectFetched();
  }
}

TEST_F(GetResume, AnotherVersionIsFetchedAnew) {
  store_.files["big"] = Content(50'000);
  GetInPart(20'000);
  store_.files["big"] = std::string(40'000, 'x');
  store_.modify_time += 1;
  const CliResult result = Get();
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(
      result.error,
      "rawgate get: big: the file was replaced since it was fetched in part; starting anew\n");
  EXPECT_EQ(store_.bytes_given, 40'000u);
  ExpectFetched();
}

TEST_F(GetResume, WhatWasKeptIsVerified) {
  for (const bool knows_digests : {true, false}) {
    store_.knows_digests = knows_digests;
    store_.files["big"] = Content(50'000);
    std::filesystem::remove(Path("big"));
    const std::string kept = GetInPart(20'000);
    std::string wrong = Content(20'000);
    wrong[7] ^= 1;
    Write(kept, wrong);
    const CliResult result = Get();
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_THAT(result.error, HasSubstr("what an earlier run has kept is not right"));
    ExpectFetched();
  }
}

// Same size, same times: only the digests tell.
TEST_F(GetResume, AReplacementThatNobodyCouldSee) {
  store_.knows_digests = false;
  store_.files["big"] = Content(50'000);
  GetInPart(20'000);
  store_.files["big"][100] ^= 1;
  const CliResult result = Get();
  EXPECT_EQ(result.code, 0) << result.error;
  ExpectFetched();
}

TEST_F(GetResume, AnInterruptKeepsWhatCame) {
  store_.files["big"] = Content(5'000'000);
  Interrupt interrupt;
  store_.interrupt = &interrupt;
  // More than can be on its way: some of it has come by then.
  store_.interrupt_after = 4'000'000;
  const CliResult result =
      gateway_.Run({"get", "--resume", "big", "-o", Path("big")}, "", interrupt);
  EXPECT_EQ(result.code, 130);
  EXPECT_THAT(result.error, HasSubstr("run the same command again to go on\n"));
  EXPECT_THAT(Names(), SizeIs(1));
  store_.interrupt = nullptr;
  EXPECT_EQ(Get().code, 0);
  ExpectFetched();
}

TEST_F(GetResume, TwoAtOnceDoNotMix) {
  store_.files["big"] = Content(50'000);
  const std::string kept = GetInPart(20'000);
  const Fd other(::open(Path(kept).c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  const CliResult result = Get();
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("another 'rawgate get' is fetching the same file"));
  EXPECT_EQ(Read(kept), Content(20'000));
}

TEST_F(GetResume, TwoTargetsInOneFolderHavePartsOfTheirOwn) {
  store_.files["big"] = Content(50'000);
  GetInPart(20'000);
  store_.download_breaks = {10'000};
  EXPECT_EQ(gateway_.Run({"get", "--resume", "--retries", "0", "big", "-o", Path("copy")}).code, 1);
  EXPECT_THAT(Names(), SizeIs(2));
  EXPECT_EQ(Get().error, "rawgate get: big: resumed at 40%\n");
}

}  // namespace
}  // namespace rawgate::cli
