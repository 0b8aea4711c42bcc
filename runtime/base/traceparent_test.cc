#include "runtime/base/traceparent.h"

#include <string>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace rawgate {
namespace {

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParentId[] = "00f067aa0ba902b7";

std::string Make(absl::string_view version, absl::string_view trace, absl::string_view parent,
                 absl::string_view rest = "01") {
  return absl::StrCat(version, "-", trace, "-", parent, "-", rest);
}

TEST(Traceparent, OfThisVersion) {
  EXPECT_TRUE(IsTraceparent(Make("00", kTraceId, kParentId)));
  EXPECT_TRUE(IsTraceparent(Make("00", kTraceId, kParentId, "ff")));
  EXPECT_FALSE(IsTraceparent(Make("00", kTraceId, kParentId, "01-more")));
}

TEST(Traceparent, OfALaterVersionMayGoOn) {
  EXPECT_TRUE(IsTraceparent(Make("cc", kTraceId, kParentId)));
  EXPECT_TRUE(IsTraceparent(Make("cc", kTraceId, kParentId, "01-what-the-future")));
  EXPECT_FALSE(IsTraceparent(Make("cc", kTraceId, kParentId, "01.what")));
  EXPECT_FALSE(IsTraceparent(Make("cc", kTraceId, kParentId, "01-a\nb")));
  EXPECT_FALSE(IsTraceparent(Make("cc", kTraceId, kParentId, "01-" + std::string(200, 'x'))));
  EXPECT_FALSE(IsTraceparent(Make("ff", kTraceId, kParentId)));
}

TEST(Traceparent, WhatIsNone) {
  EXPECT_FALSE(IsTraceparent(""));
  EXPECT_FALSE(IsTraceparent("00"));
  EXPECT_FALSE(IsTraceparent(Make("00", std::string(32, '0'), kParentId)));
  EXPECT_FALSE(IsTraceparent(Make("00", kTraceId, std::string(16, '0'))));
  EXPECT_FALSE(IsTraceparent(Make("00", "4BF92F3577B34DA6A3CE929D0E0E4736", kParentId)));
  EXPECT_FALSE(IsTraceparent(Make("0x", kTraceId, kParentId)));
  EXPECT_FALSE(IsTraceparent(Make("00", kTraceId, kParentId, "0g")));
}

TEST(Traceparent, EveryByteCounts) {
  const std::string good = Make("00", kTraceId, kParentId);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = '"';
    EXPECT_FALSE(IsTraceparent(bad)) << i;
  }
}

}  // namespace
}  // namespace rawgate
