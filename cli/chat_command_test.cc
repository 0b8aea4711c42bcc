// rawgate chat without a terminal; tests/system/chat_terminal_test.py has it at one.
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/command_testing.h"
#include "cli/fake_desk_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

namespace chat = rawgate::chat::v1;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

size_t Count(absl::string_view text, absl::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

class ChatCommand : public testing::Test {
 protected:
  CliResult Chat(const std::string& input) {
    return gateway_.Run({"chat", "--name", "ann"}, input);
  }

  FakeDesk desk_;
  FakeGateway gateway_{&desk_};
};

TEST_F(ChatCommand, ShowsWhatIsKeptAndEndsWithItsInput) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_AUTOMATIC, "away");
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_OUTBOUND, "back", "bob");
  const CliResult result = Chat("");
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.error, "");
  EXPECT_THAT(result.out, HasSubstr("  #1   127.0.0.1:1000         hello\n"));
  EXPECT_THAT(result.out, HasSubstr("  #2   127.0.0.1:2000         hi\n"));
  EXPECT_THAT(result.out, HasSubstr("  #1   > automatic answer     away\n"));
  EXPECT_THAT(result.out, HasSubstr("  #1   > bob                  back\n"));
}

TEST_F(ChatCommand, TextAnswersThePeerHeardFromLast) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("how are you?\n@1 and you?\n/to 2 good\nno newline");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(desk_.Sent(),
              ElementsAre("127.0.0.1:2000 ann: how are you?", "127.0.0.1:1000 ann: and you?",
                          "127.0.0.1:2000 ann: good", "127.0.0.1:2000 ann: no newline"));
  // Shown once, whether the answer or the watch came first.
  EXPECT_EQ(Count(result.out, "how are you?"), 1u);
}

TEST_F(ChatCommand, RemoteBytesAreShownEscaped) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "\x1b[2J\nforged\xff");
  const CliResult result = Chat("");
  EXPECT_THAT(result.out, HasSubstr("\\x1b[2J\\nforged\\xff\n"));
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
}

TEST_F(ChatCommand, MistakesAreToldAndNotSent) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  const CliResult result = Chat("/tp 1 x\n@7 x\n/quit\nnever\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("-- no such command: /tp"));
  EXPECT_THAT(result.error, HasSubstr("-- no session #7"));
  EXPECT_THAT(desk_.Sent(), ElementsAre());
}

TEST_F(ChatCommand, NobodyToAnswer) {
  const CliResult result = Chat("hello?\n/sessions\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error, "-- nobody to answer yet\n");
  EXPECT_EQ(result.out, "-- no sessions yet\n");
}

TEST_F(ChatCommand, FailureToSendIsToldAndNotTheEnd) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("gone:1", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("lost\n@1 found\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("-- not sent: no session gone:1. /sessions lists"));
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:1000 ann: found"));
}

TEST_F(ChatCommand, ListsSessions) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  const CliResult result = Chat("/sessions\n");
  EXPECT_THAT(result.out, HasSubstr("#  PEER            LAST HEARD  RECEIVED  SENT  UNREAD\n"
                                    "1  127.0.0.1:1000    just now         1     0       -\n"));
}

TEST_F(ChatCommand, UnreadIsWhatNobodyHasBeenShownAndNobodyAnswered) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  desk_.SetUnseen("127.0.0.1:1000", 4);
  desk_.SetUnseen("127.0.0.1:2000", 1);
  const CliResult result = Chat("/unread\n@1 yes\n/show 2\n/unread\n");
  EXPECT_THAT(result.out, HasSubstr("     * 4\n"));
  EXPECT_THAT(result.out, HasSubstr("     * 1\n"));
  EXPECT_THAT(result.out, HasSubstr("-- nothing unread\n"));
}

TEST_F(ChatCommand, ShowsTheMessagesOfASession) {
  for (int i = 0; i < 25; ++i) {
    desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "message " + std::to_string(i) + ".");
  }
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("/show 1\nfor the one shown\n");
  EXPECT_THAT(result.out, HasSubstr("-- #1 127.0.0.1:1000: the last 20 of 25 kept messages\n"));
  EXPECT_EQ(Count(result.out, "message 4."), 1u) << "when it was kept";
  EXPECT_EQ(Count(result.out, "message 5."), 2u);
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:1000 ann: for the one shown"));
}

TEST_F(ChatCommand, StaysWithASession) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  Chat("/with 1\nfor one\n/with\nstill\n@2 other\n/with 9\n");
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:1000 ann: for one", "127.0.0.1:1000 ann: still",
                                        "127.0.0.1:2000 ann: other"));
}

TEST_F(ChatCommand, AnswersAll) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("127.0.0.1:2000", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("/all \u4F60\u597D\n");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("  all  > ann                  \u4F60\u597D\n"));
  EXPECT_EQ(Count(result.out, "\u4F60\u597D"), 1u) << "not once for each session";
  EXPECT_EQ(result.error, "-- sent to 2 sessions\n");
  EXPECT_EQ(desk_.Sent().size(), 2u);
}

TEST_F(ChatCommand, TellsWhomAnAnswerToAllMissed) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.Add("gone:1", chat::DIRECTION_INBOUND, "hi");
  const CliResult result = Chat("/all bye\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error, "-- sent to 1 of 2 sessions; not to #2 (SEND_FAILED)\n");
}

TEST_F(ChatCommand, TriesAgainAndSendsOnce) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.FailSends(2, /*sent=*/true);
  const CliResult result = Chat("yes\n");
  EXPECT_EQ(result.code, 0) << result.error;
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:1000 ann: yes"));
  EXPECT_EQ(Count(result.out, "> ann                  yes\n"), 1u);
  const auto ids = desk_.RequestIds();
  ASSERT_EQ(ids.size(), 3u);
  EXPECT_THAT(ids, ElementsAre(ids[0], ids[0], ids[0]));
  EXPECT_NE(ids[0], "");
}

TEST_F(ChatCommand, EachLineIsARequestOfItsOwn) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  Chat("yes\nyes\n");
  const auto ids = desk_.RequestIds();
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_NE(ids[0], ids[1]);
  EXPECT_EQ(desk_.Sent().size(), 2u);
}

TEST_F(ChatCommand, GivesUpAfterTheSecondRetry) {
  desk_.Add("127.0.0.1:1000", chat::DIRECTION_INBOUND, "hello");
  desk_.FailSends(3, /*sent=*/false);
  const CliResult result = Chat("yes\n");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.error, HasSubstr("-- not sent: chat cannot be reached. 'rawgate ps'"));
  EXPECT_THAT(desk_.Sent(), ElementsAre());
}

// A command whose input stays open, in a thread of its own.
class LiveChat {
 public:
  explicit LiveChat(const FakeGateway& gateway) {
    EXPECT_EQ(::pipe(input_), 0);
    thread_ = std::thread([this, target = gateway.target()] {
      Console console(input_[0], out_.fd(), error_.fd());
      code_ = RunCommandLine({"--gateway", target, "chat", "--name", "ann"}, console, interrupt_);
    });
  }
  ~LiveChat() {
    if (thread_.joinable()) Finish();
    ::close(input_[0]);
  }

  void Type(const std::string& text) {
    ASSERT_EQ(::write(input_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // False when `text` does not show up.
  bool AwaitOutput(const std::string& text) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (out_.Content().find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  bool Interrupted() { return interrupt_.Deliver(2); }
  int Finish() {
    ::close(input_[1]);
    return Wait();
  }
  int Wait() {
    thread_.join();
    return code_;
  }
  std::string Out() const { return out_.Content(); }
  std::string Error() const { return error_.Content(); }

 private:
  int input_[2] = {-1, -1};
  MemoryFile out_;
  MemoryFile error_;
  Interrupt interrupt_;
  int code_ = -1;
  std::thread thread_;
};

TEST_F(ChatCommand, ShowsMessagesAsTheyCome) {
  LiveChat live(gateway_);
  live.Type("/sessions\n");
  ASSERT_TRUE(live.AwaitOutput("no sessions yet"));
  desk_.Add("127.0.0.1:3000", chat::DIRECTION_INBOUND, "anybody?");
  ASSERT_TRUE(live.AwaitOutput("-- new session #1\n"));
  ASSERT_TRUE(live.AwaitOutput("anybody?\n"));
  live.Type("yes\n");
  ASSERT_TRUE(live.AwaitOutput("> ann                  yes\n"));
  EXPECT_EQ(live.Finish(), 0);
  EXPECT_THAT(desk_.Sent(), ElementsAre("127.0.0.1:3000 ann: yes"));
}

TEST_F(ChatCommand, GoesOnWhenTheConnectionComesBack) {
  desk_.Add("127.0.0.1:3000", chat::DIRECTION_INBOUND, "before");
  LiveChat live(gateway_);
  live.Type("/help\n");
  ASSERT_TRUE(live.AwaitOutput("/quit"));
  desk_.EndWatches(/*for_good=*/false);
  desk_.Add("127.0.0.1:3000", chat::DIRECTION_INBOUND, "after");
  ASSERT_TRUE(live.AwaitOutput("after\n"));
  EXPECT_EQ(live.Finish(), 0);
  EXPECT_EQ(Count(live.Out(), "before\n"), 1u);
  EXPECT_THAT(live.Error(), HasSubstr("-- connection lost: lost the gateway at"));
  EXPECT_THAT(live.Error(), HasSubstr("-- connected again\n"));
}

// Numbers begin again at 1: what comes is new all the same.
TEST_F(ChatCommand, GoesOnWithAServiceThatForgot) {
  for (int i = 0; i < 5; ++i) desk_.Add("127.0.0.1:3000", chat::DIRECTION_INBOUND, "before");
  LiveChat live(gateway_);
  live.Type("sent before\n");
  ASSERT_TRUE(live.AwaitOutput("sent before\n"));
  desk_.Forget();
  desk_.Add("127.0.0.1:3000", chat::DIRECTION_INBOUND, "after");
  ASSERT_TRUE(live.AwaitOutput("after\n"));
  live.Type("sent after\n");
  ASSERT_TRUE(live.AwaitOutput("sent after\n"));
  EXPECT_EQ(live.Finish(), 0);
  EXPECT_EQ(Count(live.Out(), "sent after\n"), 1u);
}

TEST_F(ChatCommand, EndsWithAnErrorWhenTheGatewayGoes) {
  LiveChat live(gateway_);
  live.Type("/help\n");
  ASSERT_TRUE(live.AwaitOutput("/quit"));
  desk_.EndWatches(/*for_good=*/true);
  EXPECT_EQ(live.Wait(), 1);
  EXPECT_THAT(live.Error(), HasSubstr("rawgate chat: lost the gateway"));
}

TEST_F(ChatCommand, EndsAtAnInterrupt) {
  LiveChat live(gateway_);
  live.Type("/help\n");
  ASSERT_TRUE(live.AwaitOutput("/quit"));
  EXPECT_TRUE(live.Interrupted());
  EXPECT_EQ(live.Wait(), 130);
  EXPECT_EQ(live.Error(), "");
}

}  // namespace
}  // namespace rawgate::cli
