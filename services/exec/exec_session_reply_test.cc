// The three forms of a reply.
#include <string>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "runtime/net/framing.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_frame.h"
#include "services/exec/exec_service_testing.h"
#include "services/exec/exec_session.h"
#include "services/exec/exec_session_testing.h"

namespace rawgate::exec {
namespace {

TEST(ExecSessionTest, RawRepliesAreTheOutputAlone) {
  ExecServiceFixture exec;
  for (const std::string& uri : {exec.raw(), exec.unix_socket()}) {
    RawClient client(uri);
    ASSERT_TRUE(client.Send("echo e >&2; echo o\n"));
    EXPECT_EQ(client.ReadExactly(4), "o\ne\n");
    ASSERT_TRUE(client.Send("true"));
    EXPECT_EQ(client.ReadExactly(1), "\n");
    ASSERT_TRUE(client.Send("echo one\necho two\n\n  \necho three"));
    EXPECT_EQ(client.ReadExactly(14), "one\ntwo\nthree\n");
    client.HalfClose();
    EXPECT_EQ(client.ReadToEnd(), "");
  }
}

TEST(ExecSessionTest, SizedReplies) {
  ExecServiceFixture exec;
  RawClient client(exec.sized());
  ASSERT_TRUE(client.Send("echo hi"));
  EXPECT_EQ(ReadSized(client), "hi\n");
  ASSERT_TRUE(client.Send("true\nexit 3\nprintf abc"));
  EXPECT_EQ(ReadSized(client), "");
  EXPECT_EQ(ReadSized(client), "");
  EXPECT_EQ(ReadSized(client), "abc");
}

TEST(ExecSessionTest, HeaderReplies) {
  ExecServiceFixture exec;
  RawClient client(exec.header());
  ASSERT_TRUE(client.Send("printf hello; printf '!' >&2; exit 4\n"));
  const HeaderReply first = ReadWithHeader(client);
  EXPECT_EQ(first.body, "hello!");
  EXPECT_EQ(first.json.at("md5"), "5a8dd3ad0756a93ded72b823b19dd877");
  EXPECT_EQ(first.json.at("stdout_size"), 5);
  EXPECT_EQ(first.json.at("stderr_size"), 1);
  EXPECT_EQ(first.json.at("exit_code"), 4);
  EXPECT_EQ(first.json.at("truncated"), false);
  EXPECT_EQ(first.json.at("timed_out"), false);
  EXPECT_GE(first.json.at("duration_ms").as_int64(), 0);
  EXPECT_FALSE(first.json.contains("signal"));
  EXPECT_FALSE(first.json.contains("error"));

  ASSERT_TRUE(client.Send("kill -TERM $$"));
  const HeaderReply second = ReadWithHeader(client);
  EXPECT_EQ(second.json.at("signal"), "TERM");
  EXPECT_EQ(second.json.at("md5"), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_FALSE(second.json.contains("exit_code"));
  EXPECT_NE(second.json.at("file_name"), first.json.at("file_name"));
}

TEST(ExecSessionTest, HeaderTellsTimeoutAndTruncation) {
  ExecServiceFixture exec({.timeout_default = absl::Milliseconds(300), .output_max = 1000});
  RawClient client(exec.header());
  ASSERT_TRUE(client.Send("echo partial; sleep 600\n"));
  const HeaderReply late = ReadWithHeader(client);
  EXPECT_EQ(late.body, "partial\n");
  EXPECT_EQ(late.json.at("timed_out"), true);
  EXPECT_EQ(late.json.at("truncated"), false);
  ASSERT_TRUE(client.Send("yes\n"));
  const HeaderReply much = ReadWithHeader(client);
  EXPECT_EQ(much.body.size(), 1000u);
  EXPECT_EQ(much.json.at("truncated"), true);
  EXPECT_EQ(much.json.at("timed_out"), false);
}

TEST(ExecSessionTest, LargeRepliesArriveWhole) {
  ExecServiceFixture exec;
  const std::string command = "seq 1 400000; seq 1 300000 >&2\n";
  RawClient raw(exec.raw());
  ASSERT_TRUE(raw.Send(command));
  raw.HalfClose();
  const std::string expected = raw.ReadToEnd();
  EXPECT_THAT(expected.size(), 2688895u + 1988895u);
  EXPECT_TRUE(absl::StartsWith(expected, "1\n2\n3\n"));
  EXPECT_TRUE(absl::EndsWith(expected, "299999\n300000\n"));

  RawClient sized(exec.sized());
  ASSERT_TRUE(sized.Send(command));
  EXPECT_EQ(ReadSized(sized), expected);

  RawClient header(exec.header());
  ASSERT_TRUE(header.Send(command));
  const HeaderReply reply = ReadWithHeader(header);
  EXPECT_EQ(reply.body, expected);
  EXPECT_EQ(reply.json.at("md5").as_string(), *Body(expected).Md5());
  // One stream in a file, the other in memory.
  ASSERT_TRUE(header.Send("echo small; seq 1 400000 >&2\n"));
  EXPECT_TRUE(absl::StartsWith(ReadWithHeader(header).body, "small\n1\n2\n"));
  ASSERT_TRUE(header.Send("seq 1 400000; echo small >&2\n"));
  EXPECT_TRUE(absl::EndsWith(ReadWithHeader(header).body, "400000\nsmall\n"));
}

TEST(ExecSessionTest, CommandThatCannotBeStartedSaysWhy) {
  ExecServiceFixture exec;
  std::filesystem::remove_all(exec.scratch());
  RawClient raw(exec.raw());
  ASSERT_TRUE(raw.Send("echo hi"));
  const std::string text = "rawgate-exec: working folder: No such file or directory\n";
  EXPECT_EQ(raw.ReadExactly(text.size()), text);
  RawClient header(exec.header());
  ASSERT_TRUE(header.Send("echo hi"));
  const HeaderReply reply = ReadWithHeader(header);
  EXPECT_EQ(reply.body, text);
  EXPECT_EQ(reply.json.at("error").at("code"), "START_FAILED");
}

}  // namespace
}  // namespace rawgate::exec
