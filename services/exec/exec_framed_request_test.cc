#include "services/exec/exec_framed_request.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::exec {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

FramedRequest Decoded(const std::string& json) {
  absl::StatusOr<FramedRequest> request = DecodeFramedRequest(json);
  EXPECT_TRUE(request.ok()) << request.status();
  return request.ok() ? *std::move(request) : FramedRequest();
}

// Of a request after which the stream goes on.
std::string Refusal(const std::string& json) { return ReasonOf(Decoded(json).status); }

// Of one after which it cannot.
std::string Failure(const std::string& json) {
  return ReasonOf(DecodeFramedRequest(json).status());
}

TEST(FramedRequestTest, ShellCommand) {
  const FramedRequest request = Decoded(R"({"command":"echo hi","future":{"a":[1]}})");
  EXPECT_TRUE(request.status.ok()) << request.status;
  EXPECT_EQ(request.spec.shell_command, "echo hi");
  EXPECT_THAT(request.spec.argv, IsEmpty());
  EXPECT_EQ(request.spec.folder, "");
  EXPECT_EQ(request.spec.timeout, absl::ZeroDuration());
  EXPECT_EQ(request.input_size, 0u);
}

TEST(FramedRequestTest, Everything) {
  const FramedRequest request =
      Decoded(R"({"argv":["printf","%s","a b"],"cwd":"/usr","env":{"A":"1","B":""},)"
              R"("timeout_ms":1500,"stdin_size":1048576})");
  EXPECT_TRUE(request.status.ok()) << request.status;
  EXPECT_FALSE(request.spec.shell_command.has_value());
  EXPECT_THAT(request.spec.argv, ElementsAre("printf", "%s", "a b"));
  EXPECT_EQ(request.spec.folder, "/usr");
  EXPECT_THAT(request.spec.environment, ElementsAre(Pair("A", "1"), Pair("B", "")));
  EXPECT_EQ(request.spec.timeout, absl::Milliseconds(1500));
  EXPECT_EQ(request.input_size, 1u << 20);
}

TEST(FramedRequestTest, CommandsAreBytes) {
  EXPECT_EQ(Decoded("{\"command\":\"echo \xff\"}").spec.shell_command, "echo \xff");
  EXPECT_EQ(Decoded(R"({"command":"a\u0000b"})").spec.shell_command, std::string("a\0b", 3));
}

TEST(FramedRequestTest, WhatIsWrongInOneRequestEndsThatRequest) {
  EXPECT_EQ(Refusal("{}"), "NO_COMMAND");
  EXPECT_EQ(Refusal(R"({"command":"a","argv":["a"]})"), "NO_COMMAND");
  for (const char* bad :
       {R"({"command":5})", R"({"argv":"a"})", R"({"argv":["a",1]})", R"({"argv":{"0":"a"}})",
        R"({"command":"a","cwd":[]})", R"({"command":"a","env":["A=1"]})",
        R"({"command":"a","env":{"A":1}})", R"({"command":"a","timeout_ms":0})",
        R"({"command":"a","timeout_ms":-5})", R"({"command":"a","timeout_ms":"1s"})",
        R"({"command":"a","timeout_ms":1.5})"}) {
    EXPECT_EQ(Refusal(bad), "BAD_FIELD") << bad;
  }
  EXPECT_EQ(Decoded(R"({"command":5,"stdin_size":7})").input_size, 7u);
}

TEST(FramedRequestTest, WithoutASizeNothingCanFollow) {
  for (const char* bad : {"", "{", "[]", "5", R"({"command":"a"}x)"})
    EXPECT_EQ(Failure(bad), "BAD_JSON") << bad;
  EXPECT_EQ(Failure(std::string(100'000, '[')), "BAD_JSON");
  for (const char* size : {"-1", "1.5", "\"1\"", "null", "99999999999999999999"}) {
    EXPECT_EQ(Failure(absl::StrCat(R"({"command":"a","stdin_size":)", size, "}")), "BAD_FIELD")
        << size;
  }
  EXPECT_EQ(Failure(R"({"command":"a","stdin_size":1048577})"), "INPUT_TOO_LONG");
  EXPECT_EQ(Failure(R"({"command":"a","stdin_size":9223372036854775807})"), "INPUT_TOO_LONG");
}

}  // namespace
}  // namespace rawgate::exec
