#include "services/chat/chat_text.h"

#include <string>

#include "gtest/gtest.h"

namespace rawgate::chat {
namespace {

TEST(IsValidUtf8Test, AcceptsUtf8) {
  for (const absl::string_view text :
       {absl::string_view(""), absl::string_view("hello"), absl::string_view("a\0b", 3),
        absl::string_view("九点见"), absl::string_view("\xf4\x8f\xbf\xbf"),
        absl::string_view("\x1b[2J")}) {
    EXPECT_TRUE(IsValidUtf8(text)) << text;
  }
}

TEST(IsValidUtf8Test, RefusesEverythingElse) {
  for (const absl::string_view text : {"\xff", "\x80", "ok\xc3", "\xe4\xb9", "\xc0\x80",
                                       "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xe4z"}) {
    EXPECT_FALSE(IsValidUtf8(text)) << text;
  }
}

TEST(Utf8PrefixTest, CutsBetweenCharacters) {
  const absl::string_view text = "a九é";  // 1 + 3 + 2 bytes
  const size_t expected[] = {0, 1, 1, 1, 4, 4, 6, 6};
  for (size_t size_max = 0; size_max < 8; ++size_max) {
    EXPECT_EQ(Utf8Prefix(text, size_max), text.substr(0, expected[size_max])) << size_max;
  }
}

TEST(Utf8PrefixTest, CutsWhatIsNoUtf8Anywhere) {
  EXPECT_EQ(Utf8Prefix("\x80\x80\x80\x80\x80\x80", 5).size(), 5u);
  EXPECT_EQ(Utf8Prefix("\xff\xff\xff", 2).size(), 2u);
  EXPECT_EQ(Utf8Prefix(std::string(100, '\x80'), 64).size(), 64u);
}

}  // namespace
}  // namespace rawgate::chat
