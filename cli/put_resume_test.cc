#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "cli/file_command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class PutResume : public FileCommandTest {
 protected:
  CliResult Put(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"put", "--resume", Path("big")});
    return gateway_.Run(options);
  }

  // A run that breaks off after `size` bytes for good.
  void PutInPart(size_t size) {
    store_.upload_breaks = {size};
    const CliResult result = Put({"--retries", "0"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.error, HasSubstr("what was sent is kept over there; run the same command"));
    ASSERT_THAT(store_.uploads, SizeIs(1));
    ASSERT_EQ(store_.uploads.begin()->second.content.size(), size);
    store_.bytes_taken = 0;
  }

  // The same size and times as before.
  void WriteUnnoticed(const std::string& content) {
    struct stat before {};
    ASSERT_EQ(::stat(Path("big").c_str(), &before), 0);
    Write("big", content);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, Path("big").c_str(), times, 0), 0);
  }
};

TEST_F(PutResume, TheNextRunGoesOn) {
  Write("big", Content(50'000));
  PutInPart(20'000);
  const CliResult result = Put();
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.files["big"], Content(50'000));
  EXPECT_EQ(store_.bytes_taken, 30'000u);
  EXPECT_EQ(result.error, "rawgate put: big: resumed at 40%\n");
  EXPECT_EQ(result.out, DigestOf(Content(50'000)) + "  big\n");
  EXPECT_THAT(store_.uploads, IsEmpty());
}

TEST_F(PutResume, NothingButTheEndWasMissing) {
  Write("big", Content(50'000));
  PutInPart(50'000);
  EXPECT_EQ(Put().code, 0);
  EXPECT_EQ(store_.bytes_taken, 0u);
  EXPECT_EQ(store_.files["big"], Content(50'000));
}

TEST_F(PutResume, ABrokenConnectionIsTriedAgain) {
  Write("big", Content(50'000));
  store_.upload_breaks = {5'000, 1'000, 0, 20'000};
  const CliResult result = Put();
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.files["big"], Content(50'000));
  EXPECT_EQ(store_.bytes_taken, 50'000u);
  EXPECT_EQ(store_.upload_calls, 5);
  EXPECT_EQ(result.error, "");
}

TEST_F(PutResume, TriesEndWhenNothingGetsThrough) {
  Write("big", Content(50'000));
  // Each of the first three gets something through; the next, and two more tries, do not.
  store_.upload_breaks = {1'000, 1'000, 1'000, 0, 0, 0, 0};
  const CliResult result = Put({"--retries", "2"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(store_.upload_calls, 6);
  EXPECT_THAT(result.error, HasSubstr("lost the gateway"));
}

TEST_F(PutResume, AWrongOffsetIsAskedForAgain) {
  Write("big", Content(50'000));
  store_.upload_refusals = {Refusal(absl::StatusCode::kAborted, "WRONG_OFFSET", "no"),
                            Refusal(absl::StatusCode::kAborted, "UPLOAD_COMPLETING", "wait")};
  EXPECT_EQ(Put().code, 0);
  EXPECT_EQ(store_.files["big"], Content(50'000));
}

TEST_F(PutResume, SomebodyElseSendsIt) {
  Write("big", Content(50'000));
  store_.upload_refusals = {
      Refusal(absl::StatusCode::kAborted, "UPLOAD_TAKEN_OVER", "a newer attempt took it over")};
  const CliResult result = Put();
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(store_.upload_calls, 1);
  EXPECT_EQ(result.error,
            "rawgate put: a newer attempt took it over. Another 'rawgate put' sends the same "
            "file.\n");
}

TEST_F(PutResume, AChangedBeginningIsNotSplicedOn) {
  Write("big", Content(50'000));
  PutInPart(20'000);
  std::string changed = Content(50'000);
  changed[19'999] ^= 1;
  WriteUnnoticed(changed);
  const CliResult result = Put();
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.files["big"], changed);
  EXPECT_EQ(store_.bytes_taken, 50'000u);
  EXPECT_EQ(result.error,
            "rawgate put: big: the file has changed since it was sent in part; starting anew\n");
}

TEST_F(PutResume, ANewerVersionGivesTheOlderOnesUp) {
  Write("big", Content(50'000));
  PutInPart(20'000);
  store_.uploads["somebody-elses"] = {"big", 10, "x"};
  Write("big", Content(60'000));
  const CliResult result = Put();
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.files["big"], Content(60'000));
  EXPECT_EQ(store_.bytes_taken, 60'000u);
  EXPECT_THAT(result.error, HasSubstr("starting anew"));
  EXPECT_THAT(store_.uploads, SizeIs(1));
  EXPECT_EQ(store_.uploads.count("somebody-elses"), 1u);
}

TEST_F(PutResume, ALostResponseIsNoLostFile) {
  Write("big", Content(50'000));
  store_.loses_response = true;
  for (const bool if_absent : {false, true}) {
    store_.files.clear();
    store_.completed.clear();
    store_.bytes_taken = 0;
    const CliResult result =
        Put(if_absent ? std::vector<std::string>{"--if-absent"} : std::vector<std::string>{});
    EXPECT_EQ(result.code, 0) << result.error;
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(store_.bytes_taken, 50'000u);
  }
}

TEST_F(PutResume, ALostResponseToAnUploadInOnePiece) {
  Write("small", "content");
  store_.loses_response = true;
  // The second try finds the file there, and it is its own.
  const CliResult result = gateway_.Run({"put", Path("small"), "--if-absent"});
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_EQ(store_.bytes_taken, 7u);
}

TEST_F(PutResume, WhatIsCompleteAndThereIsNotSentAgain) {
  Write("big", Content(50'000));
  EXPECT_EQ(Put().code, 0);
  store_.bytes_taken = 0;
  const CliResult result = Put();
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(store_.bytes_taken, 0u);
  EXPECT_THAT(result.error, HasSubstr("unchanged"));
  EXPECT_EQ(result.out, DigestOf(Content(50'000)) + "  big\n");
}

TEST_F(PutResume, WhatIsCompleteAndWasRemovedSinceIsSentAgain) {
  Write("big", Content(50'000));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Put().code, 0);
    EXPECT_EQ(store_.files["big"], Content(50'000));
    store_.files.clear();
  }
  EXPECT_EQ(store_.bytes_taken, 150'000u);
  EXPECT_THAT(store_.completed, SizeIs(3));
}

TEST_F(PutResume, SmallFilesAreNotKeptUnlessAskedFor) {
  Write("small", Content(5'000));
  store_.upload_breaks = {2'000, 2'000};
  const CliResult result = gateway_.Run({"put", Path("small"), "--retries", "1"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, Not(HasSubstr("kept")));
  EXPECT_THAT(store_.uploads, IsEmpty());
  // The connection holds by now.
  EXPECT_EQ(gateway_.Run({"put", Path("small")}).code, 0);
  EXPECT_EQ(store_.files["small"], Content(5'000));
}

class PutResumeByDefault : public PutResume {
 protected:
  void SetUp() override {
    PutResume::SetUp();
    store_.max_file_bytes = 1 << 30;
    store_.max_chunk_bytes = 1 << 20;
    Write("big", std::string((16 << 20) + 1, 'x'));
    Write("not-so-big", std::string(16 << 20, 'x'));
  }
};

TEST_F(PutResumeByDefault, WhatIsOver16MiB) {
  EXPECT_EQ(gateway_.Run({"put", Path("not-so-big")}).code, 0);
  EXPECT_THAT(store_.completed, IsEmpty());
  EXPECT_EQ(gateway_.Run({"put", Path("big")}).code, 0);
  EXPECT_THAT(store_.completed, SizeIs(1));
}

TEST_F(PutResumeByDefault, NotWhereTheStoreCannotKeepIt) {
  const grpc::Status refusal = Refusal(absl::StatusCode::kFailedPrecondition, "OTHER_FILE_SYSTEM",
                                       "resumable uploads go to the root's own");
  store_.upload_refusals = {refusal};
  EXPECT_EQ(gateway_.Run({"put", Path("big")}).code, 0);
  EXPECT_THAT(store_.completed, IsEmpty());
  EXPECT_EQ(store_.files["big"].size(), (16u << 20) + 1);
  // Who insists is told.
  store_.upload_refusals = {refusal};
  EXPECT_THAT(Put().error, HasSubstr("resumable uploads go to the root's own"));
}

TEST_F(PutResume, OrToldNotTo) {
  Write("big", Content(50'000));
  EXPECT_EQ(gateway_.Run({"put", "--no-resume", Path("big")}).code, 0);
  EXPECT_THAT(store_.completed, IsEmpty());
  EXPECT_EQ(gateway_.Run({"put", "--no-resume", "--resume", Path("big")}).code, 2);
}

TEST_F(PutResume, AnInterruptKeepsWhatWasSent) {
  Write("big", Content(500'000));
  Interrupt interrupt;
  store_.interrupt = &interrupt;
  store_.interrupt_after = 20'000;
  const CliResult result = gateway_.Run({"put", "--resume", Path("big")}, "", interrupt);
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error,
            "rawgate put: big: what was sent is kept over there; run the same command again to go "
            "on\n");
  store_.interrupt = nullptr;
  EXPECT_EQ(Put().code, 0);
  EXPECT_EQ(store_.files["big"], Content(500'000));
}

TEST_F(PutResume, NobodyThereEndsAllOfThem) {
  for (int i = 0; i < 20; ++i) Write("many/" + std::to_string(i), "x");
  store_.upload_breaks.assign(100, 0);
  const CliResult result = gateway_.Run({"put", "-r", "-j", "2", "--retries", "0", Path("many")});
  EXPECT_EQ(result.code, 1);
  EXPECT_LE(store_.upload_calls, 4);
  EXPECT_THAT(result.error, HasSubstr("not tried"));
}

}  // namespace
}  // namespace rawgate::cli
