#include "cli/call/message_json.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/exec/v1/exec_service.pb.h"
#include "runtime/base/status.h"

namespace rawgate::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The objects in `pieces`, and what was wrong, if anything.
std::vector<std::string> Objects(const std::vector<std::string>& pieces) {
  JsonObjects objects;
  std::vector<std::string> all;
  for (const std::string& piece : pieces) {
    objects.Add(piece);
    for (;;) {
      const auto next = objects.Next();
      if (!next.ok()) {
        all.push_back(ReasonOf(next.status()));
        return all;
      }
      if (!next->has_value()) break;
      all.push_back(**next);
    }
  }
  if (!objects.CheckEnd().ok()) all.emplace_back("no end");
  return all;
}

TEST(JsonObjects, AreFoundWhereverTheBytesAreCut) {
  const std::string text = R"( {"a":{"b":"}\"{"}} {"c":["\\"]}
{})";
  const auto whole = ElementsAre(R"({"a":{"b":"}\"{"}})", R"({"c":["\\"]})", "{}");
  EXPECT_THAT(Objects({text}), whole);
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_THAT(Objects(bytes), whole);
}

TEST(JsonObjects, WhatIsNoneIsRefused) {
  EXPECT_THAT(Objects({"{} null"}), ElementsAre("{}", "BAD_JSON"));
  EXPECT_THAT(Objects({"[{}]"}), ElementsAre("BAD_JSON"));
  EXPECT_THAT(Objects({R"({"a":)"}), ElementsAre("no end"));
  EXPECT_THAT(Objects({"", " \n"}), ElementsAre());
}

TEST(JsonObjects, OneWithoutAnEndIsNotKeptForEver) {
  JsonObjects objects;
  objects.Add("{\"a\":\"");
  const std::string piece(1 << 20, 'x');
  for (size_t size = 0; size <= kRequestJsonMax; size += piece.size()) objects.Add(piece);
  EXPECT_EQ(ReasonOf(objects.Next().status()), "BAD_JSON");
}

std::string Problem(const std::string& text) {
  exec::v1::RunRequest request;
  const absl::Status read = ReadJson(text, request);
  return absl::StrCat(ReasonOf(read), " ", read.message());
}

TEST(ReadJson, SaysWhichFieldIsUnknown) {
  EXPECT_THAT(
      Problem(R"({"shelCommand":"a"})"),
      HasSubstr("UNKNOWN_FIELD no field of rawgate.exec.v1.RunRequest is called shelCommand"));
  EXPECT_THAT(Problem(R"({"terminal":{"size":{"rowz":1}}})"),
              HasSubstr("rawgate.exec.v1.WindowSize is called rowz. Did you mean rows?"));
  EXPECT_THAT(Problem(R"({"environment":[{"name":"A"},{"nam":"B"}]})"),
              HasSubstr("rawgate.exec.v1.EnvironmentVariable is called nam. Did you mean name?"));
}

TEST(ReadJson, SaysWhatIsNoJson) {
  EXPECT_THAT(Problem("{\"stdin\":7}"), HasSubstr("BAD_JSON not a rawgate.exec.v1.RunRequest"));
  EXPECT_THAT(Problem("{\"stdin\""), HasSubstr("BAD_JSON"));
}

TEST(WriteJson, OnOneLineOrSeveral) {
  exec::v1::RunRequest request;
  request.set_shell_command("a\x1b");
  EXPECT_EQ(*WriteJson(request, {}), "{\"shellCommand\":\"a\\u001b\"}\n");
  EXPECT_EQ(*WriteJson(request, {.indented = true}), "{\n \"shellCommand\": \"a\\u001b\"\n}\n");
  EXPECT_THAT(*WriteJson(request, {.defaults = true}), HasSubstr("\"keepStdinOpen\":false"));
}

}  // namespace
}  // namespace rawgate::cli
