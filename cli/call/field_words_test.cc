#include "cli/call/field_words.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/json_util.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/fault.pb.h"
#include "rawgate/control/v1/state.pb.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "rawgate/time/v1/time_service.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

absl::StatusOr<std::string> ReadFake(const std::string& path) {
  if (path == "there") return std::string("con\0tent", 8);
  return ErrnoError(ENOENT, path);
}

// The message that the words make, or why they make none.
template <typename Message>
std::string Made(const std::vector<std::string>& words) {
  Message message;
  const absl::Status set = SetFields(words, ReadFake, message);
  if (!set.ok()) return absl::StrCat(ReasonOf(set), ": ", set.message());
  return message.ShortDebugString();
}

TEST(SetFields, TakesEveryKindOfValue) {
  EXPECT_EQ(Made<exec::v1::RunRequest>({"shell_command=a=b c", "keep_stdin_open=true"}),
            R"(shell_command: "a=b c" keep_stdin_open: true)");
  EXPECT_EQ(Made<exec::v1::RunRequest>(
                {"keepStdinOpen=1", "terminal.size.rows=0x18", "terminal.size.columns=80"}),
            "keep_stdin_open: true terminal { size { rows: 24 columns: 80 } }");
  EXPECT_EQ(
      Made<control::v1::DatagramFaults>({"loss=0.25", "bytes_per_second=18446744073709551615"}),
      "bytes_per_second: 18446744073709551615 loss: 0.25");
  EXPECT_EQ(Made<exec::v1::RunRequest>({"shell_command="}), R"(shell_command: "")");
}

TEST(SetFields, BytesAreTextBase64OrAFile) {
  EXPECT_EQ(Made<exec::v1::RunRequest>({"stdin=two words"}), R"(stdin: "two words")");
  EXPECT_EQ(Made<exec::v1::RunRequest>({"stdin=base64:AAH/"}), R"(stdin: "\000\001\377")");
  EXPECT_EQ(Made<exec::v1::RunRequest>({"stdin=@there"}), R"(stdin: "con\000tent")");
  EXPECT_THAT(Made<exec::v1::RunRequest>({"stdin=base64:?"}), HasSubstr("BAD_FIELD: stdin: \"?\""));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"stdin=@gone"}), HasSubstr("ENOENT"));
  EXPECT_EQ(Made<exec::v1::RunRequest>({"working_directory=@there"}),
            R"(working_directory: "@there")");
}

TEST(SetFields, ListsGrowAndMapsHaveKeys) {
  EXPECT_EQ(Made<exec::v1::RunRequest>({"argv.arguments=ls", "argv.arguments=-l"}),
            R"(argv { arguments: "ls" arguments: "-l" })");
  EXPECT_EQ(Made<exec::v1::RunRequest>({"environment.0.name=A", "environment.0.value=1",
                                        "environment.1.name=B", R"(environment={"name":"C"})"}),
            R"(environment { name: "A" value: "1" } environment { name: "B" } )"
            R"(environment { name: "C" })");
  EXPECT_THAT(Made<exec::v1::RunRequest>({"environment.1.name=A"}),
              HasSubstr("environment is a list of 0 so far: environment.0 is the next"));
  EXPECT_EQ(Made<control::v1::Counters>({"closed.peer.closed=2"}),
            R"(closed { key: "peer.closed" value: 2 })");
  EXPECT_THAT(Made<control::v1::Counters>({"closed=2"}), HasSubstr("closed.KEY=VALUE"));
}

TEST(SetFields, TimesAreAsPeopleWriteThem) {
  EXPECT_EQ(Made<exec::v1::RunRequest>({"timeout=1.5s"}),
            "timeout { seconds: 1 nanos: 500000000 }");
  EXPECT_EQ(Made<exec::v1::RunRequest>({"timeout=90"}), "timeout { seconds: 90 }");
  EXPECT_EQ(Made<exec::v1::RunRequest>({"timeout=-250ms"}), "timeout { nanos: -250000000 }");
  EXPECT_THAT(Made<exec::v1::RunRequest>({"timeout=soon"}), HasSubstr("\"soon\" is no time"));
  EXPECT_EQ(Made<time::v1::GetTimeRequest>({"client_send_time=1970-01-01T01:00:01.5+01:00"}),
            "client_send_time { seconds: 1 nanos: 500000000 }");
  EXPECT_THAT(Made<time::v1::GetTimeRequest>({"client_send_time=now"}), HasSubstr("seconds: "));
  EXPECT_THAT(Made<time::v1::GetTimeRequest>({"client_send_time=noon"}), HasSubstr("BAD_FIELD"));
}

TEST(SetFields, EnumsGoByTheirShortNames) {
  for (const char* name : {"keep", "KEEP", "ON_DISCONNECT_KEEP", "2"}) {
    EXPECT_EQ(Made<exec::v1::RunRequest>({absl::StrCat("on_disconnect=", name)}),
              "on_disconnect: ON_DISCONNECT_KEEP")
        << name;
  }
  EXPECT_EQ(Made<exec::v1::RunRequest>({"on_disconnect=kep"}),
            "BAD_FIELD: on_disconnect: \"kep\" is no OnDisconnect. Did you mean keep? There are: "
            "unspecified, end, keep");
}

TEST(SetFields, UnknownFieldsAreGuessed) {
  EXPECT_EQ(Made<time::v1::GetTimeRequest>({"fromat=%T"}),
            "UNKNOWN_FIELD: no field of rawgate.time.v1.GetTimeRequest is called fromat. Did you "
            "mean format? It has: format, time_zone, client_send_time");
  EXPECT_THAT(Made<exec::v1::RunRequest>({"terminal.sizes.rows=1"}),
              HasSubstr("Did you mean size?"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({R"(terminal={"sise":{}})"}),
              HasSubstr("no field of rawgate.exec.v1.Terminal is called sise. Did you mean size?"));
}

TEST(SetFields, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(Made<exec::v1::RunRequest>({"word"}), HasSubstr("\"word\" is no field=value"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"=x"}), HasSubstr("BAD_FIELD"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"shell_command=a", "shell_command=b"}),
              HasSubstr("set twice"));
  EXPECT_EQ(Made<exec::v1::RunRequest>({"shell_command=a", "argv.arguments=b"}),
            "BAD_FIELD: argv.arguments: only one of command can be set, and shell_command is");
  EXPECT_THAT(Made<exec::v1::RunRequest>({"shell_command.x=a"}), HasSubstr("has no fields"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"terminal.size.rows=-1"}), HasSubstr("is no uint32"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"terminal.size.rows=4294967296"}),
              HasSubstr("is no uint32"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"keep_stdin_open=yes"}), HasSubstr("is no bool"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"shell_command=\xff"}), HasSubstr("not UTF-8"));
  EXPECT_THAT(Made<exec::v1::RunRequest>({"terminal=24"}), HasSubstr("wanted in JSON"));
}

}  // namespace
}  // namespace rawgate::cli
