#include "gateway/message_scanner.h"

#include <string>

#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using Result = MessageScanner::Result;

constexpr size_t kMost = 1000;

std::string Prefix(size_t size, char flag = 0) {
  std::string prefix(1, flag);
  for (const int shift : {24, 16, 8, 0}) prefix += static_cast<char>(size >> shift & 0xff);
  return prefix;
}
std::string Message(size_t size) { return Prefix(size) + std::string(size, 'm'); }

TEST(MessageScannerTest, CountsWhatHasBegunAndWhatIsWhole) {
  MessageScanner scanner(kMost);
  EXPECT_TRUE(scanner.at_boundary());
  EXPECT_EQ(scanner.Take(Prefix(3).substr(0, 4)), Result::kOk);
  EXPECT_EQ(scanner.begun(), 0U);
  EXPECT_FALSE(scanner.at_boundary());
  EXPECT_EQ(scanner.Take(Prefix(3).substr(4)), Result::kOk);
  EXPECT_EQ(scanner.begun(), 1U);
  EXPECT_EQ(scanner.whole(), 0U);
  EXPECT_FALSE(scanner.at_boundary());
  EXPECT_EQ(scanner.Take("mm"), Result::kOk);
  EXPECT_EQ(scanner.whole(), 0U);
  EXPECT_EQ(scanner.Take("m"), Result::kOk);
  EXPECT_EQ(scanner.whole(), 1U);
  EXPECT_TRUE(scanner.at_boundary());
}

TEST(MessageScannerTest, AMessageOfNoBytesIsWholeAtOnce) {
  MessageScanner scanner(kMost);
  EXPECT_EQ(scanner.Take(Message(0) + Message(0)), Result::kOk);
  EXPECT_EQ(scanner.begun(), 2U);
  EXPECT_EQ(scanner.whole(), 2U);
  EXPECT_TRUE(scanner.at_boundary());
}

TEST(MessageScannerTest, NoBytesChangeNothing) {
  MessageScanner scanner(kMost);
  EXPECT_EQ(scanner.Take(""), Result::kOk);
  EXPECT_TRUE(scanner.at_boundary());
}

TEST(MessageScannerTest, HowBytesAreCutMakesNoDifference) {
  const std::string bytes =
      Message(1) + Message(0) + Message(300) + Message(5) + Message(kMost) + Prefix(2) + "m";
  for (size_t first = 0; first <= bytes.size(); ++first) {
    // Two cuts: the second right behind a prefix's length, or somewhere else.
    for (const size_t second : {first, first + 1, first + 5, bytes.size()}) {
      MessageScanner scanner(kMost);
      const absl::string_view all(bytes);
      const size_t cut = std::min(second, bytes.size());
      for (const absl::string_view piece :
           {all.substr(0, first), all.substr(first, cut - first), all.substr(cut)})
        ASSERT_EQ(scanner.Take(piece), Result::kOk);
      ASSERT_EQ(scanner.begun(), 6U);
      ASSERT_EQ(scanner.whole(), 5U);
      ASSERT_FALSE(scanner.at_boundary());
    }
  }
}

TEST(MessageScannerTest, ByteByByte) {
  MessageScanner scanner(kMost);
  for (int message = 1; message <= 3; ++message) {
    for (const char byte : Message(20)) {
      EXPECT_EQ(scanner.whole(), static_cast<uint64_t>(message - 1));
      EXPECT_EQ(scanner.Take(absl::string_view(&byte, 1)), Result::kOk);
    }
    EXPECT_EQ(scanner.whole(), static_cast<uint64_t>(message));
    EXPECT_TRUE(scanner.at_boundary());
  }
}

TEST(MessageScannerTest, TooLargeIsToldWithItsLength) {
  for (const size_t size : {kMost + 1, size_t{0xffffffff}}) {
    MessageScanner scanner(kMost);
    EXPECT_EQ(scanner.Take(Message(kMost) + Prefix(size).substr(0, 4)), Result::kOk);
    EXPECT_EQ(scanner.Take(Prefix(size).substr(4)), Result::kTooLarge);
    EXPECT_EQ(scanner.begun(), 2U);
    EXPECT_EQ(scanner.whole(), 1U);
  }
}

TEST(MessageScannerTest, AnyFlagIsCompressed) {
  for (const int flag : {1, 2, 0x80, 0xff}) {
    MessageScanner scanner(kMost);
    EXPECT_EQ(scanner.Take(Message(3) + Prefix(3, static_cast<char>(flag)) + "mmm"),
              Result::kCompressed);
    EXPECT_EQ(scanner.whole(), 1U);
  }
}

TEST(MessageScannerTest, TheFirstErrorStays) {
  MessageScanner compressed(kMost);
  EXPECT_EQ(compressed.Take(Prefix(0, 1) + Prefix(kMost + 1)), Result::kCompressed);
  EXPECT_EQ(compressed.Take(Message(1)), Result::kCompressed);
  EXPECT_EQ(compressed.begun(), 1U);
  MessageScanner too_large(kMost);
  EXPECT_EQ(too_large.Take(Prefix(kMost + 1) + Prefix(0, 1)), Result::kTooLarge);
  EXPECT_EQ(too_large.Take(Message(1)), Result::kTooLarge);
  EXPECT_EQ(too_large.begun(), 1U);
}

}  // namespace
}  // namespace rawgate::gateway
