// What handlers do with an exchange: answers that come later, streams, clients that leave.
#include <atomic>
#include <future>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/http/http_server_testing.h"

namespace rawgate::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpServerTest, AnswersFromAnyThread) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  std::thread([held = Held()] { held->Respond(TextResponse(200, "later")); }).join();
  EXPECT_THAT(ReadAnswer(client), EndsWith("later\n"));
}

TEST_F(HttpServerTest, AnswersForAHandlerThatDoesNot) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  Held().reset();
  EXPECT_THAT(ReadAnswer(client), StartsWith("HTTP/1.1 500 "));
}

TEST_F(HttpServerTest, DropsFieldsThatWouldBreakTheHead) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  Held()->Respond({.status = 200, .fields = {{"x-bad", "a\r\nx-injected: b"}}, .body = ""});
  EXPECT_THAT(ReadAnswer(client), Not(HasSubstr("injected")));
}

TEST_F(HttpServerTest, StreamsInChunksAndGoesOn) {
  Start();
  RawClient client(uri());
  client.Send(absl::StrCat(kHold, kHealth));
  const auto held = Held();
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  EXPECT_TRUE(WriteAndWait(*held, "bc"));
  EXPECT_TRUE(WriteAndWait(*held, ""));
  held->End();
  EXPECT_THAT(ReadAnswer(client), HasSubstr("transfer-encoding: chunked\r\n"));
  constexpr absl::string_view kBody = "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n";
  EXPECT_EQ(client.ReadExactly(kBody.size()), kBody);
  EXPECT_THAT(ReadAnswer(client), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, AStreamThatIsNotEndedIsCutOff) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  auto held = Held();
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  held.reset();
  EXPECT_THAT(client.ReadToEnd(), EndsWith("\r\n\r\n1\r\na\r\n"));
}

TEST_F(HttpServerTest, ASlowReaderSlowsTheHandlerAndIsGivenUp) {
  Start({.stall_timeout = absl::Milliseconds(300)});
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  held->Begin({.status = 200, .fields = {}, .body = ""});
  while (WriteAndWait(*held, std::string(1 << 20, 'x'))) {
  }
  gone.get_future().wait();
}

TEST_F(HttpServerTest, TellsWhenTheClientLeaves) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  client.Reset();
  gone.get_future().wait();
}

TEST_F(HttpServerTest, TellsWhenTheClientOfAStreamLeavesAfterStrayBytes) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  EXPECT_TRUE(WriteAndWait(*held, "b"));
  client.Send("x");
  EXPECT_TRUE(WriteAndWait(*held, "c"));
  client.Send("y");
  client.Close();
  EXPECT_EQ(gone.get_future().wait_for(testing::kPatience), std::future_status::ready);
}

TEST_F(HttpServerTest, LetsGoOfWhoSendsTooMuchDuringAStream) {
  Start({.header_bytes_max = 1000});
  RawClient client(uri());
  client.Send(kHold);
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  held->Begin({.status = 200, .fields = {}, .body = "a"});
  client.Send(std::string(100'000, 'x'));
  EXPECT_EQ(gone.get_future().wait_for(testing::kPatience), std::future_status::ready);
}

TEST_F(HttpServerTest, AnswersAClientThatOnlyEndedItsSending) {
  Start();
  RawClient client(uri());
  client.Send(kHold);
  client.HalfClose();
  const auto held = Held();
  std::atomic<bool> gone = false;
  held->OnGone([&] { gone = true; });
  // By then the end has been seen.
  EXPECT_THAT(Exchanged(kHealthLast), EndsWith("ok\n"));
  held->Respond(TextResponse(200, "still"));
  EXPECT_THAT(client.ReadToEnd(), EndsWith("still\n"));
  EXPECT_FALSE(gone);
}

TEST_F(HttpServerTest, AClientThatEndedItsSendingIsNotAnsweredForEver) {
  Start({.half_closed_timeout = absl::Milliseconds(50)});
  RawClient client(uri());
  client.Send(kHold);
  client.HalfClose();
  const auto held = Held();
  std::promise<void> gone;
  held->OnGone([&] { gone.set_value(); });
  EXPECT_EQ(gone.get_future().wait_for(testing::kPatience), std::future_status::ready);
  EXPECT_EQ(client.ReadToEnd(), "");
}

}  // namespace
}  // namespace rawgate::http
