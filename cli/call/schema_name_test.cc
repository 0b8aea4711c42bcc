#include "cli/call/schema_name.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

const std::vector<std::string>& Methods() {
  static const auto* methods =
      new std::vector<std::string>{"rawgate.chat.v1.ChatService/Send",
                                   "rawgate.chat.v1.ChatService/ListSessions",
                                   "rawgate.echo.v1.EchoService/Echo",
                                   "rawgate.exec.v1.ExecService/GetLimits",
                                   "rawgate.file.v1.FileService/GetLimits",
                                   "rawgate.time.v1.TimeService/GetTime",
                                   "rawgate.time.v1.TimeService/GetTestClock",
                                   "a.b.Time/Get",
                                   "x.a.b.Time/Get"};
  return *methods;
}

std::string Resolved(absl::string_view typed) {
  const auto name = ResolveName(typed, Methods(), "method");
  return name.ok() ? *name : ReasonOf(name.status());
}

std::string Message(absl::string_view typed) {
  return std::string(ResolveName(typed, Methods(), "method").status().message());
}

TEST(ResolveName, AsMuchAsTellsApartIsEnough) {
  const std::string get_time = "rawgate.time.v1.TimeService/GetTime";
  for (const char* typed :
       {"rawgate.time.v1.TimeService/GetTime", "/rawgate.time.v1.TimeService/GetTime",
        "rawgate.time.v1.TimeService.GetTime", "TimeService/GetTime", "time.GetTime", "GetTime",
        "gettime"}) {
    EXPECT_EQ(Resolved(typed), get_time) << typed;
  }
  EXPECT_EQ(Resolved("Echo"), "rawgate.echo.v1.EchoService/Echo");
}

TEST(ResolveName, WhatIsNotClearIsAsked) {
  EXPECT_EQ(Resolved("GetLimits"), "AMBIGUOUS_NAME");
  EXPECT_THAT(Message("GetLimits"),
              HasSubstr("rawgate.exec.v1.ExecService/GetLimits, rawgate.file"));
  EXPECT_EQ(Resolved("exec.GetLimits"), "rawgate.exec.v1.ExecService/GetLimits");
}

TEST(ResolveName, TheWholeNameGoesBeforeItsEnds) {
  EXPECT_EQ(Resolved("a.b.Time/Get"), "a.b.Time/Get");
}

TEST(ResolveName, WhatIsUnknownIsGuessed) {
  EXPECT_EQ(Message("GetTiem"), "no method is called GetTiem. Did you mean GetTime?");
  EXPECT_EQ(Message("TimeServce/GetTime"),
            "no method is called TimeServce/GetTime. Did you mean TimeService/GetTime?");
  EXPECT_EQ(Message("Zebra"), "no method is called Zebra");
  EXPECT_EQ(Resolved("Time"), "UNKNOWN_NAME");
  EXPECT_EQ(Resolved(""), "UNKNOWN_NAME");
  EXPECT_EQ(Resolved("./."), "UNKNOWN_NAME");
}

}  // namespace
}  // namespace rawgate::cli
