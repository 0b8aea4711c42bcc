#include "cli/progress_line.h"

#include <string>

#include "cli/display_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr uint64_t kMiB = 1 << 20;

ProgressState OneFile() {
  ProgressState state;
  state.name = "notes.bin";
  state.done = 12 * kMiB;
  state.total = 26 * kMiB;
  state.rate = 8.5 * kMiB;
  return state;
}

TEST(ProgressLine, OneFile) {
  EXPECT_EQ(ProgressLine(OneFile(), 79),
            "notes.bin   46%   12.0 MiB of 26.0 MiB    8.5 MiB/s  2s left");
}

TEST(ProgressLine, SeveralFiles) {
  ProgressState state = OneFile();
  state.files = 12;
  state.files_done = 3;
  state.resumed = 5 * kMiB;
  EXPECT_EQ(ProgressLine(state, 79),
            "3 of 12 files   46%   12.0 MiB of 26.0 MiB    8.5 MiB/s  2s left");
  EXPECT_EQ(ProgressLine(state, 199),
            "3 of 12 files   46%   12.0 MiB of 26.0 MiB    8.5 MiB/s  2s left  resumed at 19%");
}

TEST(ProgressLine, Resumed) {
  ProgressState state = OneFile();
  state.resumed = 11 * kMiB;
  EXPECT_EQ(ProgressLine(state, 79),
            "notes.bin   46%   12.0 MiB of 26.0 MiB    8.5 MiB/s  2s left  resumed at 42%");
}

TEST(ProgressLine, NeverWiderThanTheTerminal) {
  ProgressState state = OneFile();
  state.resumed = kMiB;
  state.total = 5'000'000'000 * kMiB;
  for (const std::string& name :
       {std::string("一个名字很长的文件的名字.bin"), std::string(300, 'x'),
        std::string("\x1b[2J\xff"), std::string()}) {
    state.name = name;
    for (const uint64_t files : {1u, 100'000u}) {
      state.files = files;
      for (int columns = 0; columns <= 250; ++columns) {
        const std::string line = ProgressLine(state, columns);
        EXPECT_LE(DisplayWidth(line), columns) << line;
        EXPECT_TRUE(IsUtf8(line));
      }
    }
  }
}

TEST(ProgressLine, TheEndOfALongNameStays) {
  ProgressState state = OneFile();
  state.name = std::string(100, 'x') + "-第一章.bin";
  const std::string line = ProgressLine(state, 79);
  EXPECT_THAT(line, StartsWith("...xx"));
  EXPECT_THAT(line, HasSubstr("-第一章.bin   46%"));
  EXPECT_EQ(DisplayWidth(line), 79);
}

TEST(ProgressLine, HasNoSurprisesAtTheEdges) {
  ProgressState state;
  state.name = "x";
  EXPECT_EQ(ProgressLine(state, 79), "x  100%        0 B of 0 B        0 B/s");
  state.total = 10;
  EXPECT_EQ(ProgressLine(state, 79), "x    0%        0 B of 10 B        0 B/s");
  state.name = "\x1b[2J";
  EXPECT_EQ(ProgressLine(state, 79).find('\x1b'), std::string::npos);
}

TEST(ProgressLine, PercentIsFullOnlyAtTheEnd) {
  EXPECT_EQ(Percent(0, 0), 100);
  EXPECT_EQ(Percent(0, 1), 0);
  EXPECT_EQ(Percent(UINT64_MAX - 1, UINT64_MAX), 99);
  EXPECT_EQ(Percent(63, 100), 63);
}

}  // namespace
}  // namespace rawgate::cli
