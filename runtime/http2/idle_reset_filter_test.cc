#include "runtime/http2/idle_reset_filter.h"

#include <string>

#include "gtest/gtest.h"
#include "runtime/http2/frame_testing.h"

namespace rawgate::http2 {
namespace {

class IdleResetFilterTest : public ::testing::Test {
 protected:
  // What passes of `bytes` in pieces of so many.
  static std::string Passing(const std::string& bytes, size_t piece, size_t* idle) {
    IdleResetFilter filter;
    std::string passed;
    *idle = 0;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      *idle += filter.Take(absl::string_view(bytes).substr(at, piece), [&](absl::string_view rest) {
        EXPECT_FALSE(rest.empty());
        passed.append(rest.data(), rest.size());
      });
    }
    return passed;
  }
  // However the bytes are cut.
  static void ExpectPassing(const std::string& bytes, const std::string& expected, size_t count) {
    for (size_t piece = 1; piece <= bytes.size(); ++piece) {
      size_t idle = 0;
      ASSERT_EQ(Passing(bytes, piece, &idle), expected) << piece;
      ASSERT_EQ(idle, count) << piece;
    }
  }

  const std::string preface_ = kPreface;
};

TEST_F(IdleResetFilterTest, EverythingElsePasses) {
  const std::string bytes =
      preface_ + Frame(kSettings, 0, 0) + Frame(kHeaders, kEndHeaders, 1, "h") +
      Frame(kData, 0, 1, std::string(100, 'd')) + Frame(kReset, 0, 1, Number(8)) +
      Frame(kHeaders, 0, 3, "") + Frame(kContinuation, kEndHeaders, 3, "c") +
      Frame(kReset, 0, 3, Number(0)) + Frame(kWindowUpdate, 0, 5, "four") +
      Frame(kPing, 0, 0, std::string(8, 'p'));
  ExpectPassing(bytes, bytes, 0);
}

TEST_F(IdleResetFilterTest, ResetsOfStreamsThatNeverBeganAreTakenOut) {
  const std::string before = preface_ + Frame(kHeaders, kEndHeaders, 1, "h");
  const std::string after = Frame(kHeaders, kEndHeaders, 7, "h") + Frame(kReset, 0, 7, Number(8));
  const std::string idle = Frame(kReset, 0, 3, Number(8)) + Frame(kReset, 0, 5, Number(8));
  ExpectPassing(before + idle + after, before + after, 2);
  ExpectPassing(before + idle, before, 2);
  ExpectPassing(preface_ + Frame(kReset, 0, 1, Number(8)), preface_, 1);
}

TEST_F(IdleResetFilterTest, FramesOfTypesThatNobodyKnowsAreCounted) {
  const std::string bytes =
      preface_ + Frame(10, 255, 77, "unknown") + Frame(kData, 0, 1, "d") + Frame(255, 0, 0);
  ExpectPassing(bytes, bytes, 2);
}

TEST_F(IdleResetFilterTest, WhatIsWrongOtherwisePasses) {
  for (const std::string& frame :
       {// Of the connection, of one that only a server may begin, and of another length.
        Frame(kReset, 0, 0, Number(8)), Frame(kReset, 0, 2, Number(8)), Frame(kReset, 0, 3, "abc"),
        Frame(kReset, 0, 3, "abcde")}) {
    ExpectPassing(preface_ + frame, preface_ + frame, 0);
  }
}

TEST_F(IdleResetFilterTest, TheReservedBitDoesNotCount) {
  const std::string begun = preface_ + Frame(kHeaders, kEndHeaders, 0x80000003, "h");
  const std::string reset = Frame(kReset, 0, 0x80000003, Number(8));
  ExpectPassing(begun + reset, begun + reset, 0);
  ExpectPassing(preface_ + reset, preface_, 1);
}

TEST_F(IdleResetFilterTest, OneThatIsNotWholeIsNotPassedEither) {
  const std::string reset = Frame(kReset, 0, 1, Number(8));
  for (size_t size = 9; size < reset.size(); ++size) {
    size_t idle = 0;
    EXPECT_EQ(Passing(preface_ + reset.substr(0, size), 1'000, &idle), preface_);
    EXPECT_EQ(idle, 1U);
  }
}

}  // namespace
}  // namespace rawgate::http2
