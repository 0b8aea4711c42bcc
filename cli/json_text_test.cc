#include "cli/json_text.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

namespace json = boost::json;

TEST(JsonText, IsIndented) {
  const json::object object{
      {"a", 1}, {"b", json::array{"x", json::object{}}}, {"c", json::array{}}};
  EXPECT_EQ(JsonLine(object), "{\"a\":1,\"b\":[\"x\",{}],\"c\":[]}\n");
  EXPECT_EQ(JsonText(object),
            "{\n  \"a\": 1,\n  \"b\": [\n    \"x\",\n    {}\n  ],\n  \"c\": []\n}\n");
}

TEST(JsonText, IsSafeForATerminal) {
  const json::object object{{"a\x1b", JsonString("\xc2\x9b[2J\xe2\x80\xae \x7f\xe4\xbd\xa0\n")}};
  EXPECT_EQ(JsonLine(object), "{\"a\\u001b\":\"\\u009b[2J\\u202e \\u007f\xe4\xbd\xa0\\n\"}\n");
  // Above U+FFFF, as a surrogate pair.
  EXPECT_EQ(JsonLine(JsonString("\xf3\xa0\x81\x81")), "\"\\udb40\\udc41\"\n");
}

TEST(JsonText, WhatIsNotUtf8IsShownSo) {
  EXPECT_EQ(JsonLine(JsonString("a\xff")), "\"a\\\\xff\"\n");
}

TEST(JsonDuration, HasAsManyDigitsAsProtobufPrints) {
  EXPECT_EQ(JsonDuration(absl::Seconds(2)), "2s");
  EXPECT_EQ(JsonDuration(absl::Milliseconds(1500)), "1.500s");
  EXPECT_EQ(JsonDuration(absl::Microseconds(250)), "0.000250s");
  EXPECT_EQ(JsonDuration(absl::Nanoseconds(1)), "0.000000001s");
  EXPECT_EQ(JsonDuration(-absl::Milliseconds(1)), "-0.001s");
}

TEST(JsonTime, IsRfc3339InUtc) {
  EXPECT_EQ(JsonTime(absl::FromUnixMillis(1'700'000'000'250)), "2023-11-14T22:13:20.25Z");
}

}  // namespace
}  // namespace rawgate::cli
