#include "services/exec/exec_frame.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Commands that are complete, and the reason of the error behind them ("" for none).
struct Decoded {
  std::vector<std::string> commands;
  std::string error;
};

Decoded TakeAll(RequestDecoder& decoder) {
  Decoded decoded;
  for (;;) {
    auto next = decoder.Next();
    if (!next.ok()) {
      decoded.error = ReasonOf(next.status());
      return decoded;
    }
    if (!next->has_value()) return decoded;
    decoded.commands.push_back(**next);
  }
}

// All of `text` in one read with nothing behind it.
Decoded DecodeOneRead(absl::string_view text) {
  RequestDecoder decoder(/*first=*/true);
  decoder.Feed(text);
  decoder.OnQuiet();
  return TakeAll(decoder);
}

// ---- What ends a command

TEST(RequestDecoderTest, NewlineEndsACommand) {
  EXPECT_THAT(DecodeOneRead("echo hi\n").commands, ElementsAre("echo hi"));
}

TEST(RequestDecoderTest, OneCarriageReturnIsDropped) {
  EXPECT_THAT(DecodeOneRead("echo hi\r\n").commands, ElementsAre("echo hi"));
  EXPECT_THAT(DecodeOneRead("echo hi\r\r\n").commands, ElementsAre("echo hi\r"));
}

TEST(RequestDecoderTest, LinesAreCommandsInOrder) {
  EXPECT_THAT(DecodeOneRead("a\nb\nc\n").commands, ElementsAre("a", "b", "c"));
}

TEST(RequestDecoderTest, BlankLinesAreIgnored) {
  EXPECT_THAT(DecodeOneRead("\n\r\n  \t \necho hi\n\n").commands, ElementsAre("echo hi"));
  EXPECT_THAT(DecodeOneRead("   ").commands, IsEmpty());
}

TEST(RequestDecoderTest, ShortReadWithNothingWaitingEndsACommand) {
  EXPECT_THAT(DecodeOneRead("echo hi").commands, ElementsAre("echo hi"));
  EXPECT_THAT(DecodeOneRead("echo one\necho two").commands, ElementsAre("echo one", "echo two"));
}

TEST(RequestDecoderTest, CarriageReturnSplitFromItsNewlineMakesNoDifference) {
  RequestDecoder decoder(true);
  decoder.Feed("echo hi\r");
  decoder.OnQuiet();
  EXPECT_THAT(TakeAll(decoder).commands, ElementsAre("echo hi"));
  decoder.Feed("\n");
  decoder.OnQuiet();
  EXPECT_THAT(TakeAll(decoder).commands, IsEmpty());
}

TEST(RequestDecoderTest, MoreWaitingContinuesTheCommand) {
  RequestDecoder decoder(true);
  decoder.Feed("echo ");
  EXPECT_THAT(TakeAll(decoder).commands, IsEmpty());
  decoder.Feed("hi");
  decoder.OnQuiet();
  EXPECT_THAT(TakeAll(decoder).commands, ElementsAre("echo hi"));
}

TEST(RequestDecoderTest, JustUnderTheShortReadEndsAtOnce) {
  const std::string text(RequestDecoder::kShortRead - 1, 'x');
  EXPECT_THAT(DecodeOneRead(text).commands, ElementsAre(text));
}

TEST(RequestDecoderTest, FromTheShortReadOnOnlySilenceNewlineOrEndCounts) {
  const std::string text(RequestDecoder::kShortRead, 'x');
  for (int ending = 0; ending < 3; ++ending) {
    RequestDecoder decoder(true);
    decoder.Feed(text);
    decoder.OnQuiet();
    EXPECT_THAT(TakeAll(decoder).commands, IsEmpty());
    EXPECT_TRUE(decoder.awaiting_silence());
    if (ending == 0) decoder.OnSilence();
    if (ending == 1) decoder.OnEnd();
    if (ending == 2) decoder.Feed("\n");
    EXPECT_THAT(TakeAll(decoder).commands, ElementsAre(text));
    EXPECT_FALSE(decoder.awaiting_silence());
  }
}

TEST(RequestDecoderTest, TailOfALongTextIsStillLong) {
  const std::string text(RequestDecoder::kShortRead, 'x');
  RequestDecoder decoder(true);
  decoder.Feed(text);
  decoder.OnQuiet();
  decoder.Feed("y");
  decoder.OnQuiet();
  EXPECT_TRUE(decoder.awaiting_silence());
  decoder.OnSilence();
  EXPECT_THAT(TakeAll(decoder).commands, ElementsAre(text + "y"));
}

TEST(RequestDecoderTest, LineBegunInALongReadMayHaveMoreUnderWay) {
  RequestDecoder decoder(true);
  decoder.Feed(absl::StrCat(std::string(2000, 'x'), "\necho t"));
  decoder.OnQuiet();
  EXPECT_EQ(TakeAll(decoder).commands.size(), 1u);
  EXPECT_TRUE(decoder.awaiting_silence());
  decoder.Feed("wo\n");
  decoder.OnQuiet();
  EXPECT_THAT(TakeAll(decoder).commands, ElementsAre("echo two"));
}

TEST(RequestDecoderTest, NewlineMakesWhatFollowsShortAgain) {
  RequestDecoder decoder(true);
  decoder.Feed(std::string(2000, 'x'));
  decoder.OnQuiet();
  decoder.Feed("\necho hi");
  decoder.OnQuiet();
  EXPECT_EQ(TakeAll(decoder).commands.back(), "echo hi");

  decoder.Feed(absl::StrCat(std::string(2000, 'x'), "\n"));
  decoder.OnQuiet();
  TakeAll(decoder);
  decoder.Feed("echo hi");
  decoder.OnQuiet();
  EXPECT_THAT(TakeAll(decoder).commands, ElementsAre("echo hi"));
}

TEST(RequestDecoderTest, EndEndsACommand) {
  RequestDecoder decoder(true);
  decoder.Feed("echo hi");
  decoder.OnEnd();
  EXPECT_THAT(TakeAll(decoder).commands, ElementsAre("echo hi"));
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(RequestDecoderTest, NothingAskedNothingComes) {
  RequestDecoder decoder(true);
  decoder.OnQuiet();
  decoder.OnSilence();
  decoder.OnEnd();
  EXPECT_THAT(TakeAll(decoder).commands, IsEmpty());
}

// ---- Every split point

constexpr absl::string_view kConversation = "echo one\r\n\n  \nprintf '\xe2\x82\xac'\necho three\n";

TEST(RequestDecoderTest, NewlinesHoldAtEverySplitPoint) {
  for (size_t split = 0; split <= kConversation.size(); ++split) {
    RequestDecoder decoder(true);
    // More was waiting after the first read.
    decoder.Feed(kConversation.substr(0, split));
    std::vector<std::string> commands = TakeAll(decoder).commands;
    decoder.Feed(kConversation.substr(split));
    decoder.OnQuiet();
    for (std::string& command : TakeAll(decoder).commands) commands.push_back(std::move(command));
    EXPECT_THAT(commands, ElementsAre("echo one", "printf '\xe2\x82\xac'", "echo three"))
        << "split at " << split;
  }
}

TEST(RequestDecoderTest, NewlinesHoldByteByByte) {
  RequestDecoder decoder(true);
  std::vector<std::string> commands;
  for (const char byte : kConversation) {
    decoder.Feed(absl::string_view(&byte, 1));
    for (std::string& command : TakeAll(decoder).commands) commands.push_back(std::move(command));
  }
  EXPECT_THAT(commands, ElementsAre("echo one", "printf '\xe2\x82\xac'", "echo three"));
}

TEST(RequestDecoderTest, SilencesAtEverySplitPointNeverLoseAByte) {
  constexpr absl::string_view kText = "echo one; echo two";
  for (size_t split = 1; split < kText.size(); ++split) {
    RequestDecoder decoder(true);
    decoder.Feed(kText.substr(0, split));
    decoder.OnQuiet();
    std::string all;
    for (const std::string& command : TakeAll(decoder).commands) all += command;
    decoder.Feed(kText.substr(split));
    decoder.OnQuiet();
    for (const std::string& command : TakeAll(decoder).commands) all += command;
    EXPECT_EQ(all, kText) << "split at " << split;
  }
}

// ---- Limits

TEST(RequestDecoderTest, LongestCommandIsTaken) {
  const std::string text(RequestDecoder::kCommandMax, 'x');
  EXPECT_THAT(DecodeOneRead(text + "\n").commands, ElementsAre(text));
  EXPECT_THAT(DecodeOneRead(text + "\r\n").commands, ElementsAre(text));
}

TEST(RequestDecoderTest, TooLongCommandIsAnErrorAfterTheOnesBeforeIt) {
  const std::string text(RequestDecoder::kCommandMax + 1, 'x');
  const Decoded decoded = DecodeOneRead(absl::StrCat("echo hi\n", text, "\n"));
  EXPECT_THAT(decoded.commands, ElementsAre("echo hi"));
  EXPECT_EQ(decoded.error, "COMMAND_TOO_LONG");
}

TEST(RequestDecoderTest, TooLongIsKnownBeforeTheNewline) {
  RequestDecoder decoder(true);
  decoder.Feed(std::string(RequestDecoder::kCommandMax + 2, 'x'));
  EXPECT_EQ(TakeAll(decoder).error, "COMMAND_TOO_LONG");
  decoder.Feed("\necho hi\n");
  EXPECT_EQ(TakeAll(decoder).error, "COMMAND_TOO_LONG");
}

TEST(RequestDecoderTest, NulIsAnErrorAfterTheCommandsBeforeIt) {
  const Decoded decoded = DecodeOneRead(absl::string_view("a\nb\0c\nd\n", 8));
  EXPECT_THAT(decoded.commands, ElementsAre("a"));
  EXPECT_EQ(decoded.error, "BAD_COMMAND");
}

// ---- Browsers

constexpr absl::string_view kPost =
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:8082\r\nContent-Length: 12\r\n\r\ntouch /pwned";

TEST(RequestDecoderTest, HttpRequestRunsNothing) {
  const Decoded decoded = DecodeOneRead(kPost);
  EXPECT_THAT(decoded.commands, IsEmpty());
  EXPECT_EQ(decoded.error, "CROSS_PROTOCOL");
}

TEST(RequestDecoderTest, HttpRequestRunsNothingAtEverySplitPointInOneBurst) {
  for (size_t split = 0; split <= kPost.size(); ++split) {
    RequestDecoder decoder(true);
    decoder.Feed(kPost.substr(0, split));
    decoder.Feed(kPost.substr(split));
    decoder.OnQuiet();
    const Decoded decoded = TakeAll(decoder);
    EXPECT_THAT(decoded.commands, IsEmpty()) << "split at " << split;
    EXPECT_EQ(decoded.error, "CROSS_PROTOCOL") << "split at " << split;
  }
}

TEST(RequestDecoderTest, HostLineAnywhereDropsTheCommandsBeforeIt) {
  const Decoded decoded = DecodeOneRead("echo one\nhOsT: x\necho two\n");
  EXPECT_THAT(decoded.commands, IsEmpty());
  EXPECT_EQ(decoded.error, "CROSS_PROTOCOL");
}

TEST(RequestDecoderTest, HostLineNeedsNoEnd) {
  EXPECT_EQ(DecodeOneRead("echo one\nHost:").error, "CROSS_PROTOCOL");
}

TEST(RequestDecoderTest, RequestLineCutShortIsStillOne) {
  EXPECT_EQ(DecodeOneRead(absl::StrCat("GET /", std::string(500, 'a'))).error, "CROSS_PROTOCOL");
  RequestDecoder decoder(true);
  decoder.Feed(absl::StrCat("POST /;reboot;", std::string(3000, 'a')));
  decoder.OnQuiet();
  decoder.OnSilence();
  EXPECT_EQ(TakeAll(decoder).error, "CROSS_PROTOCOL");
}

TEST(RequestDecoderTest, RequestLineLongerThanAnyCommandIsStillOne) {
  RequestDecoder decoder(true);
  decoder.Feed(absl::StrCat("GET /", std::string(2 * RequestDecoder::kCommandMax, 'a')));
  EXPECT_EQ(TakeAll(decoder).error, "CROSS_PROTOCOL");
}

TEST(RequestDecoderTest, RequestLineCountsOnlyAsTheFirst) {
  EXPECT_EQ(DecodeOneRead("\r\nGET / HTTP/1.1\r\n").error, "CROSS_PROTOCOL");
  EXPECT_THAT(DecodeOneRead("true\nGET / HTTP/1.1\n").commands,
              ElementsAre("true", "GET / HTTP/1.1"));
  RequestDecoder later(/*first=*/false);
  later.Feed("GET / HTTP/1.1\n");
  EXPECT_THAT(TakeAll(later).commands, ElementsAre("GET / HTTP/1.1"));
}

TEST(HttpRequestLineTest, Forms) {
  EXPECT_TRUE(IsHttpRequestLine("GET / HTTP/1.1\r"));
  EXPECT_TRUE(IsHttpRequestLine("OPTIONS * HTTP/1.1"));
  EXPECT_TRUE(IsHttpRequestLine("PRI * HTTP/2.0"));
  EXPECT_TRUE(IsHttpRequestLine("CONNECT 127.0.0.1:8082 HTTP/1.1"));
  EXPECT_TRUE(IsHttpRequestLine("GET http://localhost:8082/ HTTP/1.1"));
  EXPECT_TRUE(IsHttpRequestLine("anything /x HTTP/1.0"));
  EXPECT_TRUE(IsHttpRequestLine("GET /favicon.ico"));

  EXPECT_FALSE(IsHttpRequestLine(""));
  EXPECT_FALSE(IsHttpRequestLine("GET"));
  EXPECT_FALSE(IsHttpRequestLine("GET "));
  EXPECT_FALSE(IsHttpRequestLine("GET http://example.com"));  // libwww-perl's program of that name
  EXPECT_FALSE(IsHttpRequestLine("echo GET / HTTP/1.1"));
  EXPECT_FALSE(IsHttpRequestLine("echo x HTTP/1.1"));
  EXPECT_FALSE(IsHttpRequestLine("ls /tmp"));
}

}  // namespace
}  // namespace rawgate::exec
