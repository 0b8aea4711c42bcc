#include "runtime/net/framing.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"

namespace rawgate::net {
namespace {

constexpr int32_t kMax = 1000;

std::string Prefix(int32_t size) {
  const auto bytes = EncodeI32(size);
  return std::string(bytes.data(), bytes.size());
}

std::string Message(absl::string_view body) {
  return Prefix(static_cast<int32_t>(body.size())) + std::string(body);
}

// Every message of `stream`, fed in the pieces that end at `cuts` and at the end.
std::vector<std::string> ReadAll(absl::string_view stream, const std::vector<size_t>& cuts) {
  SizedMessageReader reader(0, kMax);
  std::vector<std::string> messages;
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : stream.size();
    absl::string_view piece = stream.substr(begin, end - begin);
    begin = end;
    while (true) {
      const absl::StatusOr<bool> complete = reader.Consume(&piece);
      EXPECT_TRUE(complete.ok()) << complete.status();
      if (!complete.ok()) return messages;
      if (!*complete) break;
      messages.push_back(reader.Take());
    }
    EXPECT_TRUE(piece.empty()) << "more input was asked for before this was used up";
  }
  EXPECT_FALSE(reader.in_progress());
  return messages;
}

TEST(I32, IsLittleEndianAndSigned) {
  EXPECT_EQ(Prefix(0), std::string("\0\0\0\0", 4));
  EXPECT_EQ(Prefix(1), std::string("\1\0\0\0", 4));
  EXPECT_EQ(Prefix(0x01020304), std::string("\4\3\2\1", 4));
  EXPECT_EQ(Prefix(-1), "\xff\xff\xff\xff");
  EXPECT_EQ(Prefix(std::numeric_limits<int32_t>::min()), std::string("\0\0\0\x80", 4));
}

TEST(I32, RoundTrips) {
  for (const int32_t value : {0, 1, -1, 127, 128, 255, 256, 65'535, 65'536, 0x7f'ff'ff'ff,
                              std::numeric_limits<int32_t>::min()}) {
    EXPECT_EQ(DecodeI32(EncodeI32(value).data()), value);
  }
}

TEST(SizedMessageReader, TakesMessagesHoweverTheStreamIsCut) {
  const std::string nul_inside("a\0b", 3);
  const std::vector<std::string> messages = {"hello", "", nul_inside, "x", std::string(40, 'z')};
  std::string stream;
  for (const std::string& message : messages) stream += Message(message);

  EXPECT_EQ(ReadAll(stream, {}), messages);
  for (size_t first = 0; first <= stream.size(); ++first) {
    EXPECT_EQ(ReadAll(stream, {first}), messages) << "cut at " << first;
    for (size_t second = first; second <= stream.size(); ++second) {
      EXPECT_EQ(ReadAll(stream, {first, second}), messages) << "cut at " << first << ", " << second;
    }
  }
  std::vector<size_t> everywhere;
  for (size_t i = 1; i < stream.size(); ++i) everywhere.push_back(i);
  EXPECT_EQ(ReadAll(stream, everywhere), messages) << "one byte at a time";
}

TEST(SizedMessageReader, LeavesWhatFollowsTheMessage) {
  SizedMessageReader reader(0, kMax);
  const std::string stream = Message("head") + "payload";
  absl::string_view input = stream;
  ASSERT_EQ(reader.Consume(&input).value(), true);
  EXPECT_EQ(input, "payload");
  EXPECT_EQ(reader.Take(), "head");
}

TEST(SizedMessageReader, StaysCompleteUntilTaken) {
  SizedMessageReader reader(0, kMax);
  const std::string stream = Message("one") + Message("two");
  absl::string_view input = stream;
  ASSERT_EQ(reader.Consume(&input).value(), true);
  const absl::string_view rest = input;
  ASSERT_EQ(reader.Consume(&input).value(), true);
  EXPECT_EQ(input, rest);
  EXPECT_EQ(reader.Take(), "one");
  ASSERT_EQ(reader.Consume(&input).value(), true);
  EXPECT_EQ(reader.Take(), "two");
}

TEST(SizedMessageReader, SaysWhenAMessageIsInProgress) {
  SizedMessageReader reader(0, kMax);
  const std::string stream = Message("ab");
  EXPECT_FALSE(reader.in_progress());
  absl::string_view nothing;
  EXPECT_FALSE(reader.Consume(&nothing).value());
  EXPECT_FALSE(reader.in_progress());
  for (const char& byte : stream) {
    absl::string_view input(&byte, 1);
    ASSERT_TRUE(reader.Consume(&input).ok());
    EXPECT_TRUE(reader.in_progress());
  }
  EXPECT_EQ(reader.Take(), "ab");
  EXPECT_FALSE(reader.in_progress());
}

class BadLength : public testing::TestWithParam<int32_t> {};

TEST_P(BadLength, IsRefusedAtEverySplitOfThePrefix) {
  const std::string stream = Prefix(GetParam()) + "body";
  for (size_t cut = 0; cut <= kI32Size; ++cut) {
    SizedMessageReader reader(1, kMax);
    absl::string_view head = absl::string_view(stream).substr(0, cut);
    absl::string_view tail = absl::string_view(stream).substr(cut);
    absl::StatusOr<bool> complete = reader.Consume(&head);
    if (cut < kI32Size) {
      ASSERT_EQ(complete.value(), false);
      complete = reader.Consume(&tail);
    }
    EXPECT_EQ(complete.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(complete.status()), "BAD_LENGTH");
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, BadLength,
                         testing::Values(0, -1, kMax + 1, std::numeric_limits<int32_t>::max(),
                                         std::numeric_limits<int32_t>::min()));

TEST(SizedMessageReader, TakesTheSmallestAndTheLargestAllowed) {
  for (const size_t size : {size_t{1}, size_t{kMax}}) {
    SizedMessageReader reader(1, kMax);
    const std::string body(size, 'b');
    const std::string stream = Message(body);
    absl::string_view input = stream;
    ASSERT_EQ(reader.Consume(&input).value(), true);
    EXPECT_EQ(reader.Take(), body);
  }
}

TEST(SizedMessageReader, AllocatesFromWhatArrivedNotFromWhatWasAnnounced) {
  SizedMessageReader reader(0, std::numeric_limits<int32_t>::max());
  const std::string stream = Prefix(std::numeric_limits<int32_t>::max()) + "only this";
  absl::string_view input = stream;
  EXPECT_EQ(reader.Consume(&input).value(), false);
  EXPECT_LT(reader.Take().capacity(), 1024u);
}

}  // namespace
}  // namespace rawgate::net
