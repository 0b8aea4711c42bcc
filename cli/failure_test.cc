#include "cli/failure.h"

#include <string>

#include "cli/command_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

TEST(FailureLine, HasAllThatIsKnown) {
  const absl::Status busy = WithRetryAfter(
      Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_COMMANDS", "64 commands are running."),
      absl::Seconds(12));
  const Failure failure{.command = "rm", .subject = "a\n", .status = busy, .suggestion = " Ha?"};
  EXPECT_EQ(FailureLine(failure, "gw", /*json=*/true),
            R"({"error":{"command":"rm","subject":"a\n","code":"RESOURCE_EXHAUSTED",)"
            R"("reason":"TOO_MANY_COMMANDS","message":"64 commands are running",)"
            R"("advice":"Ha? Try again in 12s.","retryAfter":"12s"}})"
            "\n");
  EXPECT_EQ(FailureLine(failure, "gw", /*json=*/false),
            "rawgate rm: a\\n: 64 commands are running. Ha? Try again in 12s.\n");
}

TEST(Explain, AddsAdviceToTheReason) {
  EXPECT_EQ(
      Explain("get", Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", "no such file: a.txt"),
              "gw"),
      "rawgate get: no such file: a.txt. 'rawgate ls' lists what is there.");
  EXPECT_EQ(Explain("date",
                    Error(absl::StatusCode::kInvalidArgument, "FORMAT_TOO_LONG",
                          "the format is over 1024 bytes."),
                    "gw"),
            "rawgate date: the format is over 1024 bytes");
}

TEST(Explain, TellsWhenToTryAgain) {
  const absl::Status busy = WithRetryAfter(
      Error(absl::StatusCode::kResourceExhausted, "TOO_MANY_COMMANDS", "64 commands are running"),
      absl::Seconds(12));
  EXPECT_EQ(Explain("run", busy, "gw"), "rawgate run: 64 commands are running. Try again in 12s.");
}

TEST(Explain, IsSafeForATerminal) {
  const std::string line =
      Explain("ps", Error(absl::StatusCode::kInternal, "BROKEN", "a\x1b[2J\nforged line"), "gw");
  EXPECT_EQ(line, "rawgate ps: a\\x1b[2J\\nforged line");
}

TEST(Explain, TransportErrorsNameTheGateway) {
  EXPECT_EQ(Explain("watch", absl::UnavailableError("Socket closed"), "gw:1"),
            "rawgate watch: lost the gateway at gw:1: Socket closed.");
  EXPECT_EQ(Explain("ps", absl::DeadlineExceededError("Deadline Exceeded"), "gw:1"),
            "rawgate ps: the gateway at gw:1 did not answer in time.");
}

TEST(Explain, WhatCanBeClosedIsListedByConnections) {
  const absl::Status unknown = Error(absl::StatusCode::kNotFound, "SERVICE_NOT_FOUND", "no x");
  EXPECT_THAT(Explain("close", unknown, "here"), HasSubstr("'rawgate connections'"));
  EXPECT_THAT(Explain("stop", unknown, "here"), HasSubstr("'rawgate ps'"));
}

}  // namespace
}  // namespace rawgate::cli
