// What goes before a reply.
#include <string>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "runtime/net/framing.h"
#include "services/exec/exec_frame.h"

namespace rawgate::exec {
namespace {

TEST(ReplyTest, SizedHeaderIsLittleEndian) {
  EXPECT_EQ(EncodeSizedHeader(0), std::string(4, '\0'));
  EXPECT_EQ(EncodeSizedHeader(0x01020304), "\x04\x03\x02\x01");
}

TEST(ReplyTest, JsonHeader) {
  const std::string bytes = EncodeJsonHeader({.md5 = "5d41402abc4b2a76b9719d911017c592",
                                              .file_name = "output-7-1.txt",
                                              .stdout_size = 3,
                                              .stderr_size = 2,
                                              .exit_code = 4,
                                              .duration_ms = 17});
  ASSERT_GE(bytes.size(), 4u);
  EXPECT_EQ(net::DecodeI32(bytes.data()), static_cast<int32_t>(bytes.size() - 4));
  EXPECT_EQ(
      boost::json::parse(bytes.substr(4)),
      boost::json::parse(R"({"md5":"5d41402abc4b2a76b9719d911017c592","file_name":"output-7-1.txt",
                                   "total_size":5,"stdout_size":3,"stderr_size":2,"exit_code":4,"duration_ms":17,
                                   "truncated":false,"timed_out":false})"));
}

TEST(ReplyTest, JsonHeaderOfASignalAndOfAnError) {
  const std::string signalled = EncodeJsonHeader(
      {.signal = "KILL", .truncated = true, .timed_out = true, .output_may_be_incomplete = true});
  const auto json = boost::json::parse(signalled.substr(4)).as_object();
  EXPECT_EQ(json.at("signal"), "KILL");
  EXPECT_TRUE(json.at("truncated").as_bool());
  EXPECT_TRUE(json.at("timed_out").as_bool());
  EXPECT_TRUE(json.at("output_may_be_incomplete").as_bool());
  EXPECT_FALSE(json.contains("exit_code"));
  EXPECT_FALSE(json.contains("error"));

  const std::string refused =
      EncodeJsonHeader({.error_code = "X", .error_message = "say \"please\""});
  EXPECT_EQ(boost::json::parse(refused.substr(4)).at("error").at("message"), "say \"please\"");
}

}  // namespace
}  // namespace rawgate::exec
