#include "services/exec/exec_session.h"

#include <sys/wait.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "runtime/net/framing.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_frame.h"
#include "services/exec/exec_service_testing.h"
#include "services/exec/exec_session_testing.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Eventually;
using ::testing::IsEmpty;

// ---- The three forms
// ---- Framing on a real socket

TEST(ExecSessionTest, LongCommandWithoutNewlineEndsBySilence) {
  ExecServiceFixture exec;
  RawClient client(exec.raw());
  for (const size_t size : {1018u, 1019u, 1020u, 4000u, 65000u}) {
    const std::string text(size, 'x');
    ASSERT_TRUE(client.Send(absl::StrCat("echo ", text)));
    EXPECT_EQ(client.ReadExactly(size + 1), text + "\n");
  }
}

TEST(ExecSessionTest, LongCommandInPiecesIsOne) {
  ExecServiceFixture exec;
  RawClient client(exec.raw());
  ASSERT_TRUE(client.Send(absl::StrCat("echo ", std::string(1500, 'a'))));
  ASSERT_TRUE(client.Send(std::string(1500, 'b') + "\n"));
  EXPECT_EQ(client.ReadExactly(3001),
            absl::StrCat(std::string(1500, 'a'), std::string(1500, 'b'), "\n"));
}

TEST(ExecSessionTest, HalfCloseEndsACommandAndIsStillAnswered) {
  ExecServiceFixture exec;
  RawClient client(exec.raw());
  ASSERT_TRUE(client.Send(absl::StrCat("sleep 0.1; echo ", std::string(3000, 'y'))));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), std::string(3000, 'y') + "\n");
}

TEST(ExecSessionTest, ManyCommandsSentAheadAreAnsweredInOrder) {
  ExecServiceFixture exec;
  RawClient client(exec.raw());
  std::string commands;
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    absl::StrAppend(&commands, "echo ", i, "\n");
    absl::StrAppend(&expected, i, "\n");
  }
  ASSERT_TRUE(client.Send(commands));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), expected);
}

// ---- Refusals

TEST(ExecSessionTest, AFloodOfBlankLinesHoldsUpNobody) {
  ExecServiceFixture exec;
  std::atomic<bool> answered = false;
  RawClient flooding(exec.raw());
  std::thread flood([&] {
    const std::string lines(1 << 18, '\n');
    while (!answered && flooding.Send(lines)) {
    }
  });
  RawClient client(exec.sized());
  client.Send("echo hi\n");
  EXPECT_EQ(ReadSized(client), "hi\n");
  answered = true;
  flood.join();
}

TEST(ExecSessionTest, TooLongCommandIsAnsweredAndClosed) {
  ExecServiceFixture exec;
  const std::string command = std::string(RequestDecoder::kCommandMax + 1, 'x') + "\n";
  RawClient raw(exec.raw());
  ASSERT_TRUE(raw.Send("echo before\n" + command));
  EXPECT_EQ(raw.ReadToEnd(), "before\nrawgate-exec: the command is longer than 65536 bytes\n");
  raw.Close();
  EXPECT_TRUE(Eventually([&] { return exec.Closed(observe::CloseReason::kLimit) == 1; }));

  RawClient sized(exec.sized());
  ASSERT_TRUE(sized.Send(command));
  EXPECT_EQ(ReadSized(sized), "rawgate-exec: the command is longer than 65536 bytes\n");
  EXPECT_EQ(sized.ReadToEnd(), "");

  RawClient header(exec.header());
  ASSERT_TRUE(header.Send(command));
  const HeaderReply reply = ReadWithHeader(header);
  EXPECT_EQ(reply.json.at("error").at("code"), "COMMAND_TOO_LONG");
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(header.ReadToEnd(), "");
}

TEST(ExecSessionTest, NulIsAnsweredAndClosed) {
  ExecServiceFixture exec;
  RawClient client(exec.raw());
  ASSERT_TRUE(client.Send(absl::string_view("echo a\0b\n", 9)));
  EXPECT_EQ(client.ReadToEnd(), "rawgate-exec: the command has a NUL in it\n");
  client.Close();
  EXPECT_TRUE(Eventually([&] { return exec.Closed(observe::CloseReason::kProtocolError) == 1; }));
}

TEST(ExecSessionTest, TooManyCommandsAreToldSo) {
  ExecServiceFixture exec({.commands_max = 1, .queue_max = 0});
  RawClient first(exec.raw());
  ASSERT_TRUE(first.Send("echo up; sleep 600\n"));
  ASSERT_TRUE(Eventually([&] { return exec.running() == 1; }));
  RawClient second(exec.header());
  ASSERT_TRUE(second.Send("echo hi\n"));
  EXPECT_EQ(ReadWithHeader(second).json.at("error").at("code"), "TOO_MANY_COMMANDS");
}

TEST(ExecSessionTest, HttpRequestsAreClosedUnansweredAndNothingRuns) {
  ExecServiceFixture exec;
  const std::string touch = absl::StrCat("touch ", exec.scratch(), "/pwned");
  const std::vector<std::string> requests = {
      absl::StrCat("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n", touch,
                   "\r\n"),
      absl::StrCat(touch, "\r\nHost: 127.0.0.1\r\n"),
      absl::StrCat("GET /", std::string(3000, 'a')),
  };
  for (const std::string& request : requests) {
    RawClient client(exec.raw());
    ASSERT_TRUE(client.Send(request));
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_TRUE(Eventually(
      [&] { return exec.Closed(observe::CloseReason::kCrossProtocol) == requests.size(); }));
  EXPECT_FALSE(std::filesystem::exists(exec.scratch() + "/pwned"));
}

TEST(ExecSessionTest, OtherUsersOfTheMachineAreRefused) {
  ExecServiceFixture exec;
  if (geteuid() != 0) {
    // Nobody else can be played; that our own user is served the other tests show.
    EXPECT_FALSE(CheckOwner(geteuid() + 1, geteuid()).ok());
    return;
  }
  for (const std::string& uri : {exec.raw(), exec.unix_socket()}) {
    const pid_t stranger = fork();
    if (stranger == 0) {
      if (setresuid(65534, 65534, 65534) != 0) _exit(2);
      RawClient client(uri);
      client.Send("echo hi\n");
      _exit(client.ReadToEnd().empty() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(stranger, &status, 0), stranger);
    EXPECT_EQ(status, 0) << uri;
  }
  EXPECT_TRUE(Eventually([&] { return exec.Closed(observe::CloseReason::kRefused) == 1; }));
}

// ---- Peers that leave

TEST(ExecSessionTest, AResetEndsTheCommandAndAllItStarted) {
  ExecServiceFixture exec;
  const std::string length = UniqueLength();
  RawClient client(exec.raw());
  ASSERT_TRUE(
      client.Send(absl::StrCat("sleep ", length, " & (setsid sleep ", length, " &); wait\n")));
  ASSERT_TRUE(Eventually([&] { return SleepersFor(length).size() == 2; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return exec.running() == 0; }));
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

TEST(ExecSessionTest, ClientsThatVanishLeaveNothing) {
  ExecServiceFixture exec;
  const std::string length = UniqueLength();
  for (int i = 0; i < 100; ++i) {
    RawClient client(exec.raw());
    ASSERT_TRUE(client.Send(i % 2 == 0 ? absl::StrCat("sleep ", length, "\n") : "seq 1 100000\n"));
    client.Reset();
  }
  EXPECT_TRUE(
      Eventually([&] { return exec.raw_listener().counters().connections_open.value() == 0; }));
  EXPECT_EQ(exec.running(), 0u);
  EXPECT_THAT(SleepersFor(length), IsEmpty());
  RawClient good(exec.raw());
  ASSERT_TRUE(good.Send("echo still here\n"));
  EXPECT_EQ(good.ReadExactly(11), "still here\n");
}

TEST(ExecSessionTest, RepliesThatNobodyReadsAreBoundedInAll) {
  ExecServiceFixture exec({.unread_file_max = 30 << 20});
  constexpr size_t kSize = 20 << 20;
  const std::string command = absl::StrCat("head -c ", kSize, " /dev/zero\n");
  RawClient silent(exec.raw());
  ASSERT_TRUE(silent.Send(command));
  ASSERT_EQ(silent.ReadExactly(1).size(), 1u);
  RawClient reading(exec.raw());
  ASSERT_TRUE(reading.Send(command));
  EXPECT_EQ(reading.ReadExactly(kSize).size(), kSize);
  EXPECT_TRUE(Eventually([&] { return exec.Closed(observe::CloseReason::kLimit) == 1; }));
  EXPECT_LT(silent.ReadToEnd().size(), kSize - 1);
  ASSERT_TRUE(reading.Send("echo still here\n"));
  EXPECT_EQ(reading.ReadExactly(11), "still here\n");
}

TEST(ExecSessionTest, StopEndsWhatTheGraceDidNot) {
  const std::string length = UniqueLength();
  {
    ExecServiceFixture exec;
    RawClient client(exec.raw());
    ASSERT_TRUE(client.Send(absl::StrCat("sleep ", length, "\n")));
    ASSERT_TRUE(Eventually([&] { return SleepersFor(length).size() == 1; }));
  }
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

TEST(ExecSessionTest, StopLetsACommandFinishWithinTheGrace) {
  ExecServiceFixture exec;
  const std::string length = UniqueLength();
  RawClient client(exec.raw());
  ASSERT_TRUE(client.Send("sleep 0.3; echo finished\n"));
  ASSERT_TRUE(Eventually([&] { return exec.running() == 1; }));
  EXPECT_TRUE(exec.service().Stop(absl::Seconds(30)).ok());
  EXPECT_EQ(client.ReadToEnd(), "finished\n");
}

TEST(ExecSessionTest, FiftyClientsAtOnce) {
  ExecServiceFixture exec({.commands_max = 8});
  std::vector<std::thread> clients;
  for (int i = 0; i < 50; ++i) {
    clients.emplace_back([&exec, i] {
      RawClient client(exec.sized());
      for (int j = 0; j < 4; ++j) {
        ASSERT_TRUE(client.Send(absl::StrCat("echo ", i, " ", j)));
        EXPECT_EQ(ReadSized(client), absl::StrCat(i, " ", j, "\n"));
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace rawgate::exec
