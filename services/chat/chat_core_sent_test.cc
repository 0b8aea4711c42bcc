// What is known of answers that were sent: request ids, whatever is forgotten meanwhile.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_core_testing.h"

namespace rawgate::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<uint64_t> Numbers(const absl::StatusOr<std::vector<Message>>& messages) {
  std::vector<uint64_t> numbers;
  for (const Message& message : messages.value()) numbers.push_back(message.number);
  return numbers;
}

TEST_F(ChatCoreTest, AnAnswerIsFoundByItsRequestId) {
  ChatCore core(clock_);
  core.Receive("a", "hello");
  const Answer answer{.body = "yes", .operator_name = "Ada", .request_id = "r1"};
  EXPECT_THAT(Numbers(core.FindSent("a", answer)), IsEmpty());
  EXPECT_EQ(core.AddAnswer("a", answer).request_id, "r1");
  EXPECT_THAT(Numbers(core.FindSent("a", answer)), ElementsAre(2));
}

TEST_F(ChatCoreTest, AnswersWithoutRequestIdAreNeverTheSame) {
  ChatCore core(clock_);
  core.Receive("a", "hello");
  core.AddAnswer("a", {.body = "yes"});
  EXPECT_THAT(Numbers(core.FindSent("a", {.body = "yes"})), IsEmpty());
  EXPECT_THAT(Numbers(core.FindSent("", {.body = "yes"})), IsEmpty());
}

TEST_F(ChatCoreTest, ARequestIdIsForOneAnswerOnly) {
  ChatCore core(clock_);
  core.Receive("a", "hello");
  core.Receive("b", "hello");
  const Answer answer{.body = "yes", .operator_name = "Ada", .request_id = "r1"};
  core.AddAnswer("a", answer);
  const auto reason = [&](absl::string_view id, const Answer& other) {
    const absl::Status status = core.FindSent(id, other).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
    return ReasonOf(status);
  };
  EXPECT_EQ(reason("b", answer), "REQUEST_ID_REUSED");
  EXPECT_EQ(reason("", answer), "REQUEST_ID_REUSED") << "to all is not to one";
  EXPECT_EQ(reason("a", {.body = "no", .operator_name = "Ada", .request_id = "r1"}),
            "REQUEST_ID_REUSED");
  EXPECT_EQ(reason("a", {.body = "yes", .operator_name = "Bob", .request_id = "r1"}),
            "REQUEST_ID_REUSED");

  core.AddAnswer("a", {.body = "to all", .request_id = "r2"}, /*to_all=*/true);
  EXPECT_EQ(reason("a", {.body = "to all", .request_id = "r2"}), "REQUEST_ID_REUSED")
      << "to one is not to all, of which there was one";
}

TEST_F(ChatCoreTest, OfAnAnswerToAllWhatIsKeptIsFound) {
  ChatCore core(clock_, {}, Small());
  core.Receive("a", "hello");
  core.Receive("b", "hello");
  const Answer answer{.body = "to all", .request_id = "r1"};
  core.AddAnswer("b", answer, /*to_all=*/true);
  core.AddAnswer("a", answer, /*to_all=*/true);
  EXPECT_THAT(Numbers(core.FindSent("", answer)), ElementsAre(3, 4));
  for (int i = 0; i < 4; ++i) core.Receive("b", "pushes out what b was told");
  EXPECT_THAT(Numbers(core.FindSent("", answer)), ElementsAre(4)) << "so it is not sent again";
  for (const char* id : {"c", "d", "e"}) core.Receive(id, "takes the place of a session");
  EXPECT_THAT(Numbers(core.FindSent("", answer)), IsEmpty()) << "nothing of it is kept";
  EXPECT_TRUE(core.FindSent("c", {.body = "another", .request_id = "r1"}).ok());
}

TEST_F(ChatCoreTest, WhomAnAnswerToAllDidNotReachIsKnown) {
  ChatCore core(clock_, {}, {.messages_per_session = 3});
  for (const char* id : {"reached", "missed", "busy", "missed too"}) core.Receive(id, "hello");
  const Answer answer{.body = "to all", .request_id = "r1"};
  clock_.Advance(absl::Seconds(1));
  core.AddAnswer("reached", answer, /*to_all=*/true);
  clock_.Advance(absl::Seconds(1));
  core.Receive("late", "was not there");
  EXPECT_THAT(core.NotReached(core.FindSent("", answer).value()),
              ElementsAre("missed too", "busy", "missed"));
  for (int i = 0; i < 4; ++i) core.Receive("busy", "pushes out what may have been its copy");
  EXPECT_THAT(core.NotReached(core.FindSent("", answer).value()),
              ElementsAre("missed too", "missed"));
}

TEST_F(ChatCoreTest, RequestIdsAreForgottenWithTheirMessages) {
  ChatCore core(clock_, {}, Small());
  core.Receive("a", "hello");
  for (int i = 1; i <= 6; ++i) {
    const std::string id = absl::StrCat("r", i);
    core.AddAnswer("a", {.body = "yes", .request_id = id});
  }
  EXPECT_THAT(Numbers(core.FindSent("a", {.body = "yes", .request_id = "r2"})), IsEmpty());
  EXPECT_THAT(Numbers(core.FindSent("a", {.body = "yes", .request_id = "r3"})), ElementsAre(4));
}

}  // namespace
}  // namespace rawgate::chat
