#include "cli/bench/raw_protocol.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

// How many answers `bytes` are, given one by one or all at once; or the error's reason.
std::string Answers(RawProtocol& protocol, absl::string_view bytes, size_t piece) {
  int complete = 0;
  while (!bytes.empty()) {
    const auto taken = protocol.Take(bytes.substr(0, piece));
    if (!taken.ok()) return ReasonOf(taken.status());
    if (taken->complete) ++complete;
    bytes.remove_prefix(taken->size);
  }
  return absl::StrCat(complete);
}

std::string Sized(const std::string& text) {
  return absl::StrCat(std::string(1, static_cast<char>(text.size())), std::string(3, '\0'), text);
}

TEST(RawProtocol, EchoTakesAsMuchAsItSent) {
  for (const size_t piece : {1, 3, 100}) {
    const auto echo = EchoProtocol(5);
    EXPECT_EQ(echo->Request(0), "abcde");
    EXPECT_EQ(Answers(*echo, "ABCDEABCDE", piece), "2");
  }
}

TEST(RawProtocol, ExecTakesASizeAndItsBody) {
  for (const size_t piece : {1, 3, 100}) {
    const auto exec = ExecProtocol("true");
    EXPECT_EQ(exec->Request(0), "true\n");
    EXPECT_EQ(Answers(*exec, absl::StrCat(Sized(""), Sized("hello"), Sized("")), piece), "3");
  }
}

TEST(RawProtocol, TimeKnowsWhichRequestWasAnswered) {
  const auto time = TimeProtocol();
  EXPECT_EQ(time->Request(17).substr(0, 3), "17 ");
  EXPECT_EQ(*time->NumberOf("17 12:00:00"), 17u);
  EXPECT_EQ(ReasonOf(time->NumberOf("hi").status()), "WRONG_ANSWER");
}

TEST(RawProtocol, UploadsAreAnsweredByAHeader) {
  const auto upload = UploadProtocol("a/b", 3);
  const std::string request = upload->Request(0);
  EXPECT_EQ(request.substr(4), R"({"filename":"a/b","filesize":3}abc)");
  const std::string good = Sized(R"({"status":"ok","filename":"a/b","filesize":3})");
  for (const size_t piece : {1, 7, 1000}) EXPECT_EQ(Answers(*upload, good + good, piece), "2");
  EXPECT_EQ(Answers(*upload, Sized(R"({"status":"error","reason":"NO_SPACE"})"), 5), "NO_SPACE");
}

TEST(RawProtocol, DownloadsAreAHeaderAndTheFile) {
  const std::string answer = absl::StrCat(Sized(R"({"status":"ok","filesize":5})"), "hello");
  const std::string empty = Sized(R"({"status":"ok","filesize":0})");
  for (const size_t piece : {1, 7, 1000}) {
    const auto download = DownloadProtocol("a");
    EXPECT_EQ(Answers(*download, answer + empty + answer, piece), "3") << piece;
  }
  EXPECT_EQ(Answers(*DownloadProtocol("a"), Sized("[]"), 100), "WRONG_ANSWER");
  EXPECT_EQ(Answers(*DownloadProtocol("a"), Sized(R"({"status":"ok","filesize":-1})"), 100),
            "WRONG_ANSWER");
  EXPECT_EQ(Answers(*DownloadProtocol("a"), std::string(4, '\xff'), 100), "WRONG_ANSWER");
}

}  // namespace
}  // namespace rawgate::cli
