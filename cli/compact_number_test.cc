#include "cli/compact_number.h"

#include <cmath>

#include "gtest/gtest.h"

namespace rawgate::cli {
namespace {

TEST(CompactNumber, Sizes) {
  EXPECT_EQ(CompactSize(0), "0");
  EXPECT_EQ(CompactSize(312.4), "312");
  EXPECT_EQ(CompactSize(1023), "1023");
  EXPECT_EQ(CompactSize(1024), "1.0K");
  EXPECT_EQ(CompactSize(87'040), "85K");
  EXPECT_EQ(CompactSize(1'258'291), "1.2M");
}

TEST(CompactNumber, Counts) {
  EXPECT_EQ(CompactCount(0), "0");
  EXPECT_EQ(CompactCount(0.26), "0.3");
  EXPECT_EQ(CompactCount(12.4), "12");
  EXPECT_EQ(CompactCount(48'000), "48000");
  EXPECT_EQ(CompactCount(120'000), "120k");
}

TEST(CompactNumber, NeverOverFiveCharacters) {
  for (double number = 0.01; number < 1e19; number *= 1.03) {
    EXPECT_LE(CompactSize(number).size(), 5u) << number;
    EXPECT_LE(CompactCount(number).size(), 5u) << number;
  }
}

}  // namespace
}  // namespace rawgate::cli
