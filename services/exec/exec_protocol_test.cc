// PROTOCOL.md's examples, held against the frames and against a running service.
#include <optional>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/net/framing.h"
#include "runtime/testing/protocol_examples.h"
#include "runtime/testing/raw_client.h"
#include "services/exec/exec_frame.h"
#include "services/exec/exec_service_testing.h"

namespace rawgate::exec {
namespace {

using ::rawgate::testing::Example;
using ::rawgate::testing::RawClient;
using ::rawgate::testing::ReadExamples;

std::vector<Example> Examples() { return ReadExamples("services/exec/PROTOCOL.md"); }

bool HasHeader(const Example& example) {
  return absl::StartsWith(example.name, "header") || absl::StartsWith(example.name, "framed");
}

// A header reply's parts.
struct HeaderReply {
  explicit HeaderReply(absl::string_view bytes) {
    const auto size = static_cast<size_t>(net::DecodeI32(bytes.data()));
    json = boost::json::parse(std::string(bytes.substr(net::kI32Size, size))).as_object();
    body = std::string(bytes.substr(net::kI32Size + size));
  }
  ReplyHeader Header() const {
    const auto number = [this](const char* key) { return json.at(key).to_number<uint64_t>(); };
    const auto error = [this](const char* key) -> std::string {
      return json.contains("error") ? json.at("error").at(key).as_string().c_str() : "";
    };
    return {.md5 = json.at("md5").as_string().c_str(),
            .file_name = json.at("file_name").as_string().c_str(),
            .stdout_size = number("stdout_size"),
            .stderr_size = number("stderr_size"),
            .exit_code = json.contains("exit_code")
                             ? std::optional<int>(static_cast<int>(number("exit_code")))
                             : std::nullopt,
            .duration_ms = static_cast<int64_t>(number("duration_ms")),
            .truncated = json.at("truncated").as_bool(),
            .timed_out = json.at("timed_out").as_bool(),
            .error_code = error("code"),
            .error_message = error("message")};
  }

  boost::json::object json;
  std::string body;
};

TEST(ExecProtocolTest, HeadersOfTheExamplesAreWhatIsEncoded) {
  int headers = 0;
  for (const Example& example : Examples()) {
    if (!HasHeader(example)) continue;
    for (const auto& message : example.messages) {
      if (message.side != 'S') continue;
      const HeaderReply reply(message.bytes);
      EXPECT_EQ(absl::StrCat(EncodeJsonHeader(reply.Header()), reply.body), message.bytes)
          << example.name;
      EXPECT_EQ(*Body(reply.body).Md5(), reply.Header().md5) << example.name;
      EXPECT_EQ(reply.json.at("total_size").to_number<size_t>(), reply.body.size()) << example.name;
      ++headers;
    }
  }
  EXPECT_EQ(headers, 4);
}

TEST(ExecProtocolTest, TheServiceAnswersTheExamples) {
  ExecServiceFixture exec;
  const std::vector<Example> examples = Examples();
  EXPECT_EQ(examples.size(), 14u);
  for (const Example& example : examples) {
    SCOPED_TRACE(example.name);
    const bool with_header = HasHeader(example);
    RawClient client(absl::StartsWith(example.name, "framed")  ? exec.framed()
                     : with_header                             ? exec.header()
                     : absl::StartsWith(example.name, "sized") ? exec.sized()
                                                               : exec.raw());
    ASSERT_EQ(example.messages.front().side, 'C');
    ASSERT_TRUE(client.Send(example.messages.front().bytes));
    if (example.messages.size() == 1) {
      EXPECT_EQ(client.ReadToEnd(), "");
      continue;
    }
    const std::string& expected = example.messages[1].bytes;
    if (!with_header) {
      EXPECT_EQ(client.ReadExactly(expected.size()), expected);
      continue;
    }
    client.HalfClose();
    // All is as shown but what differs from run to run.
    const std::string answer = client.ReadToEnd();
    ASSERT_GT(answer.size(), net::kI32Size);
    const HeaderReply shown(expected);
    HeaderReply answered(answer);
    answered.json["file_name"] = shown.json.at("file_name");
    answered.json["duration_ms"] = shown.json.at("duration_ms");
    EXPECT_EQ(boost::json::serialize(answered.json), boost::json::serialize(shown.json));
    EXPECT_EQ(answered.body, shown.body);
  }
}

}  // namespace
}  // namespace rawgate::exec
