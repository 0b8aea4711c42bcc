#include "cli/lab/recording.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/lab/recording_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli::lab {
namespace {

using testing::ElementsAre;

Step Send(int at, int64_t bytes) {
  return {.at = absl::Microseconds(at), .what = "send", .bytes = bytes};
}
Step Read(Side side, int at, int64_t bytes) {
  return {.at = absl::Microseconds(at), .side = side, .what = "recv", .bytes = bytes};
}
Step Segment(int at, int64_t bytes, int earliest) {
  return {.at = absl::Microseconds(at),
          .kind = StepKind::kWire,
          .what = "segment",
          .bytes = bytes,
          .earliest = absl::Microseconds(earliest)};
}

// "send 10", "service recv 25": what, and when in microseconds.
std::vector<std::string> Told(const Scene& scene) {
  std::vector<std::string> told;
  for (const Step& step : scene.steps) {
    told.push_back(absl::StrCat(step.side == Side::kService ? "service " : "", step.what, " ",
                                absl::ToInt64Microseconds(step.at)));
  }
  return told;
}

Scene Live(std::vector<Step> steps) {
  Scene scene;
  scene.service = "echo/tcp";
  scene.steps = std::move(steps);
  PutInOrder(scene);
  return scene;
}

TEST(PutInOrder, LeavesTimesThatMakeSense) {
  const Scene scene = Live({Send(10, 5), Read(Side::kClient, 90, 5), Read(Side::kService, 50, 5)});
  EXPECT_EQ(scene.clock_shift, absl::ZeroDuration());
  EXPECT_THAT(Told(scene), ElementsAre("send 10", "service recv 50", "recv 90"));
}

TEST(PutInOrder, MovesAServiceWhoseClockIsBehind) {
  const Scene scene = Live({Send(10, 5), Send(30, 5), Read(Side::kClient, 90, 10),
                            Read(Side::kService, -500, 5), Read(Side::kService, -470, 5)});
  // The least that makes both reads follow their sends.
  EXPECT_EQ(scene.clock_shift, absl::Microseconds(510));
  EXPECT_THAT(Told(scene),
              ElementsAre("send 10", "service recv 10", "send 30", "service recv 40", "recv 90"));
}

TEST(PutInOrder, MovesAServiceWhoseClockIsAhead) {
  const Scene scene =
      Live({Send(10, 5), Read(Side::kClient, 90, 5), Read(Side::kService, 5000, 5)});
  EXPECT_EQ(scene.clock_shift, absl::Microseconds(-4910));
  EXPECT_THAT(Told(scene), ElementsAre("send 10", "recv 90", "service recv 90"));
}

TEST(PutInOrder, LeavesTheOneClockOfOneProcess) {
  Scene scene;
  scene.steps = {Read(Side::kService, 5, 5), Send(10, 5)};
  PutInOrder(scene);
  EXPECT_EQ(scene.clock_shift, absl::ZeroDuration());
  EXPECT_THAT(Told(scene), ElementsAre("service recv 5", "send 10"));
}

TEST(PutInOrder, PutsASegmentThatWasNoticedLateBeforeItsRead) {
  const Scene scene = Live({Send(10, 5), Segment(200, 5, 15), Read(Side::kService, 60, 5)});
  EXPECT_THAT(Told(scene), ElementsAre("send 10", "segment 60", "service recv 60"));
}

TEST(PutInOrder, DoesNotMoveASegmentBeforeItCanHaveLeft) {
  const Scene scene = Live({Send(10, 5), Segment(200, 5, 100), Read(Side::kService, 60, 5)});
  EXPECT_THAT(Told(scene), ElementsAre("send 10", "service recv 60", "segment 100"));
}

// What the service sent, as the client noticed it.
Step Sent(std::string what, int at, int earliest) {
  return {.at = absl::Microseconds(at),
          .side = Side::kService,
          .kind = StepKind::kWire,
          .what = std::move(what),
          .earliest = absl::Microseconds(earliest)};
}
Step Closed(int at) {
  return {.at = absl::Microseconds(at), .side = Side::kService, .what = "close"};
}

TEST(PutInOrder, PutsWhatAServiceSentBeforeItsClose) {
  const Scene scene = Live({Send(10, 5), Read(Side::kService, 40, 5), Sent("segment", 90, 20),
                            Read(Side::kClient, 95, 5), Sent("FIN", 99, 20),
                            Read(Side::kClient, 100, 0), Closed(60)});
  EXPECT_THAT(Told(scene),
              ElementsAre("send 10", "service recv 40", "service segment 60", "service FIN 60",
                          "service close 60", "recv 95", "recv 100"));
}

TEST(PutInOrder, PutsACloseBehindWhatCannotHaveLeftBefore) {
  const Scene scene = Live({Sent("segment", 90, 70), Sent("FIN", 99, 80), Closed(60)});
  EXPECT_THAT(Told(scene), ElementsAre("service segment 70", "service FIN 80", "service close 80"));
}

TEST(JsonDuration, IsSecondsWithoutNeedlessZeros) {
  EXPECT_EQ(JsonDuration(absl::Microseconds(40'100)), "0.0401s");
  EXPECT_EQ(JsonDuration(absl::Seconds(2)), "2s");
  EXPECT_EQ(JsonDuration(absl::ZeroDuration()), "0s");
  EXPECT_EQ(JsonDuration(absl::Microseconds(-5)), "-0.000005s");
}

TEST(RecordingJson, HasEverything) {
  Take take;
  take.shown = true;
  take.facts = {
      {"sends", int64_t{10}}, {"held", absl::Milliseconds(40)}, {"answer", std::string("\x1b[2J")}};
  Scene scene = Live({Send(10, 5)});
  scene.id = "one";
  scene.steps[0].sample = "h\x1b\xff";
  scene.service = "echo/\u009b31m";
  scene.bars = {{"bar.a", absl::Milliseconds(3)}, {"bar.b", int64_t{7}}};
  scene.begin = absl::FromUnixSeconds(0);
  take.scenes = {scene};
  EXPECT_EQ(RecordingJson("nagle", take, 2),
            R"({"lesson":"nagle","shown":true,"attempts":2,)"
            R"("facts":{"sends":10,"held":"0.04s","answer":"\\x1b[2J"},)"
            R"("scenes":[{"id":"one","service":"echo/\u009b31m","address":"","clockShift":"0s",)"
            R"("beginTime":"1970-01-01T00:00:00.000000Z",)"
            R"("steps":[{"at":"0.00001s","side":"client","kind":"call","what":"send","count":1,)"
            R"("bytes":5,"sample":"h\\x1b\\xff"}],)"
            R"("bars":[{"label":"bar.a","duration":"0.003s"},{"label":"bar.b","bytes":7}]}]})"
            "\n");
}

}  // namespace
}  // namespace rawgate::cli::lab
