#include "services/exec/exec_framed_session.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/net/framing.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_framed_request.h"
#include "services/exec/exec_service_testing.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Eventually;
using ::rawgate::testing::RawClient;
using ::testing::IsEmpty;

std::string Frame(const std::string& json) {
  const auto size = net::EncodeI32(static_cast<int32_t>(json.size()));
  return absl::StrCat(absl::string_view(size.data(), size.size()), json);
}

struct Reply {
  boost::json::object json;
  std::string body;

  std::string error() const {
    return json.contains("error") ? json.at("error").at("code").as_string().c_str() : "";
  }
};

Reply Read(RawClient& client) {
  const std::string size = client.ReadExactly(net::kI32Size);
  if (size.size() != net::kI32Size) return {};
  Reply reply;
  reply.json =
      boost::json::parse(client.ReadExactly(static_cast<size_t>(net::DecodeI32(size.data()))))
          .as_object();
  reply.body = client.ReadExactly(static_cast<size_t>(reply.json.at("total_size").as_int64()));
  return reply;
}

TEST(ExecFramedSessionTest, OneRequestAfterAnother) {
  ExecServiceFixture exec;
  RawClient client(exec.framed());
  ASSERT_TRUE(client.Send(Frame(R"({"command":"echo one; echo two >&2; exit 3"})")));
  const Reply first = Read(client);
  EXPECT_EQ(first.body, "one\ntwo\n");
  EXPECT_EQ(first.json.at("exit_code"), 3);
  EXPECT_EQ(first.json.at("stdout_size"), 4);
  ASSERT_TRUE(client.Send(Frame(R"({"argv":["printf","%s|","a b","$HOME"],"cwd":"/usr"})")));
  const Reply second = Read(client);
  EXPECT_EQ(second.body, "a b|$HOME|");
  EXPECT_NE(second.json.at("file_name"), first.json.at("file_name"));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "");
}

TEST(ExecFramedSessionTest, FolderEnvironmentAndTimeout) {
  ExecServiceFixture exec;
  RawClient client(exec.framed());
  ASSERT_TRUE(client.Send(
      Frame(R"({"command":"pwd; echo $GREETING","cwd":"/usr","env":{"GREETING":"a b"}})")));
  EXPECT_EQ(Read(client).body, "/usr\na b\n");
  ASSERT_TRUE(client.Send(Frame(R"({"command":"sleep 600","timeout_ms":100})")));
  EXPECT_EQ(Read(client).json.at("timed_out"), true);
}

TEST(ExecFramedSessionTest, InputIsWhatWasAnnouncedAndNoMore) {
  ExecServiceFixture exec;
  RawClient client(exec.framed());
  const std::string zeros(kInputBytesMax, '\0');
  ASSERT_TRUE(client.Send(
      absl::StrCat(Frame(R"({"command":"cat","stdin_size":5})"), "hello",
                   Frame(R"({"command":"cat; echo none"})"),
                   Frame(absl::StrCat(R"({"command":"wc -c","stdin_size":)", zeros.size(), "}")),
                   zeros, Frame(R"({"command":"echo last"})"))));
  EXPECT_EQ(Read(client).body, "hello");
  EXPECT_EQ(Read(client).body, "none\n");
  EXPECT_EQ(Read(client).body, absl::StrCat(zeros.size(), "\n"));
  EXPECT_EQ(Read(client).body, "last\n");
}

TEST(ExecFramedSessionTest, OneByteAtATime) {
  ExecServiceFixture exec;
  RawClient client(exec.framed());
  const std::string request = Frame(R"({"command":"cat","stdin_size":3})") + "abc";
  for (int round = 0; round < 2; ++round) {
    for (const char byte : request) ASSERT_TRUE(client.Send(std::string(1, byte)));
    EXPECT_EQ(Read(client).body, "abc");
  }
}

TEST(ExecFramedSessionTest, RefusedRequestsLeaveTheConnectionInStep) {
  ExecServiceFixture exec;
  RawClient client(exec.framed());
  const std::vector<std::pair<std::string, std::string>> refused = {
      {R"({"stdin_size":5})", "NO_COMMAND"},
      {R"({"command":7,"stdin_size":5})", "BAD_FIELD"},
      {R"({"argv":[],"stdin_size":5})", "NO_COMMAND"},
      {R"({"command":"a\u0000b","stdin_size":5})", "BAD_COMMAND"},
      {absl::StrCat(R"({"command":")", std::string(kCommandBytesMax + 1, 'x'),
                    R"(","stdin_size":5})"),
       "COMMAND_TOO_LONG"},
      {R"({"command":"a","cwd":"relative","stdin_size":5})", "BAD_WORKING_DIRECTORY"},
      {R"({"command":"a","cwd":"/no/such/folder","stdin_size":5})", "START_FAILED"},
      {R"({"argv":["no-such-program-here"],"stdin_size":5})", "START_FAILED"},
      {R"({"command":"a","env":{"A=B":"c"},"stdin_size":5})", "BAD_ENVIRONMENT"},
      {R"({"command":"a","timeout_ms":999999999999,"stdin_size":5})", "BAD_TIMEOUT"},
  };
  for (const auto& [json, reason] : refused) {
    ASSERT_TRUE(client.Send(Frame(json) + "input"));
    EXPECT_EQ(Read(client).error(), reason) << json.substr(0, 100);
  }
  ASSERT_TRUE(client.Send(Frame(R"({"command":"echo still here"})")));
  EXPECT_EQ(Read(client).body, "still here\n");
}

TEST(ExecFramedSessionTest, OutOfStepIsAnsweredAndClosed) {
  ExecServiceFixture exec;
  const auto size = [](int32_t value) {
    const auto bytes = net::EncodeI32(value);
    return std::string(bytes.data(), bytes.size());
  };
  const std::vector<std::pair<std::string, std::string>> broken = {
      {size(0), "BAD_LENGTH"},
      {size(-1), "BAD_LENGTH"},
      {size(INT32_MIN), "BAD_LENGTH"},
      {size(INT32_MAX), "BAD_LENGTH"},
      {size(kFramedHeaderMax + 1), "BAD_LENGTH"},
      {"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "BAD_LENGTH"},
      {Frame("{"), "BAD_JSON"},
      {Frame(R"({"command":"a","stdin_size":-1})"), "BAD_FIELD"},
      {Frame(R"({"command":"a","stdin_size":4000000000})") + std::string(100'000, 'x'),
       "INPUT_TOO_LONG"},
  };
  for (const auto& [bytes, reason] : broken) {
    RawClient client(exec.framed());
    ASSERT_TRUE(client.Send(bytes));
    EXPECT_EQ(Read(client).error(), reason);
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_TRUE(Eventually(
      [&] { return exec.ClosedFramed(observe::CloseReason::kProtocolError) == broken.size(); }));
}

TEST(ExecFramedSessionTest, AnEndInTheMiddleIsAnsweredToo) {
  ExecServiceFixture exec;
  RawClient header(exec.framed());
  ASSERT_TRUE(header.Send(Frame(R"({"command":"true"})").substr(0, 10)));
  header.HalfClose();
  EXPECT_EQ(Read(header).error(), "HEADER_INCOMPLETE");
  RawClient input(exec.framed());
  ASSERT_TRUE(input.Send(Frame(R"({"command":"cat","stdin_size":5})") + "hell"));
  input.HalfClose();
  EXPECT_EQ(Read(input).error(), "INPUT_INCOMPLETE");
  EXPECT_EQ(exec.running(), 0u);
}

TEST(ExecFramedSessionTest, InputIsBoundedInAll) {
  ExecServiceFixture exec;
  const std::string request = Frame(R"({"command":"true","stdin_size":1048576})");
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 256; ++i) {
    silent.push_back(std::make_unique<RawClient>(exec.framed()));
    ASSERT_TRUE(silent.back()->Send(request));
  }
  RawClient client(exec.framed());
  ASSERT_TRUE(client.Send(Frame(R"({"command":"echo without"})")));
  EXPECT_EQ(Read(client).body, "without\n");
  ASSERT_TRUE(client.Send(request));
  EXPECT_EQ(Read(client).error(), "TOO_MUCH_INPUT");
  silent.clear();
  EXPECT_TRUE(Eventually([&] {
    RawClient again(exec.framed());
    again.Send(request + std::string(1 << 20, 'x'));
    return Read(again).error().empty();
  }));
}

TEST(ExecFramedSessionTest, SlowInputMeetsTheStallTimeout) {
  ExecServiceFixture exec({}, {}, {.stall_timeout = std::chrono::milliseconds(100)});
  RawClient client(exec.framed());
  ASSERT_TRUE(client.Send(Frame(R"({"command":"cat","stdin_size":5})") + "hell"));
  EXPECT_EQ(client.ReadToEnd(), "");
  EXPECT_EQ(exec.running(), 0u);
}

TEST(ExecFramedSessionTest, AResetEndsTheCommand) {
  ExecServiceFixture exec;
  const std::string length = UniqueLength();
  RawClient client(exec.framed());
  ASSERT_TRUE(client.Send(Frame(absl::StrCat(R"({"argv":["sleep",")", length, R"("]})"))));
  ASSERT_TRUE(Eventually([&] { return SleepersFor(length).size() == 1; }));
  client.Reset();
  EXPECT_TRUE(Eventually([&] { return exec.running() == 0; }));
  EXPECT_THAT(SleepersFor(length), IsEmpty());
}

}  // namespace
}  // namespace rawgate::exec
