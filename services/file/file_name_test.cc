#include "services/file/file_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "runtime/base/status.h"

namespace rawgate::file {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(FileName, AcceptsWhatTheKernelAccepts) {
  for (absl::string_view text :
       {"a", "a.txt", "folder/a.txt", ".hidden", "...", "..a", "a..", "a b", "\\", "C:\\x", "-rf",
        "\n\x1b[31m", "\xe4\xbd\xa0\xe5\xa5\xbd", "\xff\xfe", "\xc0\xae\xc0\xae", "~", "%2e%2e",
        ".rawgate"}) {
    const auto name = FileName::Parse(text);
    ASSERT_TRUE(name.ok()) << text << ": " << name.status();
    EXPECT_EQ(name->text(), text);
  }
}

TEST(FileName, RefusesWhatClimbsOrIsReserved) {
  const absl::string_view hostile[] = {"",
                                       ".",
                                       "..",
                                       "/",
                                       "/etc/passwd",
                                       "a/",
                                       "a//b",
                                       "//",
                                       "a/..",
                                       "../a",
                                       "a/../b",
                                       "a/./b",
                                       "./a",
                                       "a/.",
                                       ".rawgate-0123",
                                       "a/.rawgate-x/b",
                                       absl::string_view("a\0b", 3),
                                       absl::string_view("\0", 1),
                                       absl::string_view("a/\0", 3)};
  for (absl::string_view text : hostile) {
    const auto name = FileName::Parse(text);
    ASSERT_FALSE(name.ok()) << text;
    EXPECT_EQ(name.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(name.status()), "BAD_FILENAME");
    EXPECT_EQ(FieldOf(name.status()), "filename");
  }
}

TEST(FileName, LimitsAreInclusive) {
  EXPECT_TRUE(FileName::Parse(std::string(kComponentBytesMax, 'x')).ok());
  EXPECT_FALSE(FileName::Parse(std::string(kComponentBytesMax + 1, 'x')).ok());

  std::string deep = "x";
  for (size_t i = 1; i < kComponentsMax; ++i) deep += "/x";
  EXPECT_TRUE(FileName::Parse(deep).ok());
  EXPECT_FALSE(FileName::Parse(deep + "/x").ok());

  const std::string part(kComponentBytesMax, 'x');
  const std::string longest = absl::StrCat(part, "/", part, "/", part, "/", part, "/");
  ASSERT_EQ(longest.size(), kNameBytesMax);
  EXPECT_TRUE(FileName::Parse(absl::StrCat(part, "/", part, "/", part, "/", part)).ok());
  EXPECT_FALSE(FileName::Parse(longest + "x").ok());
}

TEST(FileName, OnlyAFolderMayBeTheRoot) {
  ASSERT_TRUE(FileName::ParseFolder("").ok());
  EXPECT_TRUE(FileName::ParseFolder("")->is_root());
  EXPECT_FALSE(FileName::ParseFolder("/").ok());
  EXPECT_FALSE(FileName::ParseFolder("a/").ok());
}

TEST(FileName, TakesApartAndPutsTogether) {
  const FileName name = *FileName::Parse("a/b/c");
  EXPECT_STREQ(name.leaf(), "c");
  EXPECT_EQ(name.Parent().text(), "a/b");
  EXPECT_EQ(name.Parent().Parent().text(), "a");
  EXPECT_TRUE(name.Parent().Parent().Parent().is_root());
  EXPECT_TRUE(FileName().Parent().is_root());
  EXPECT_STREQ(FileName().leaf(), "");
  EXPECT_THAT(name.Components(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(FileName().Components(), IsEmpty());
  EXPECT_EQ(FileName().Child("x").text(), "x");
  EXPECT_EQ(name.Child("x").text(), "a/b/c/x");
}

TEST(ToUtf8, KeepsWhatIsUtf8AndReplacesTheRest) {
  EXPECT_EQ(ToUtf8("plain"), "plain");
  EXPECT_EQ(ToUtf8("\xe4\xbd\xa0\xf0\x9f\x99\x82\xc3\xa9"), "\xe4\xbd\xa0\xf0\x9f\x99\x82\xc3\xa9");
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(ToUtf8("a\xff"
                   "b"),
            "a" + r + "b");
  EXPECT_EQ(ToUtf8("\xe4\xbd"), r + r);                  // cut short
  EXPECT_EQ(ToUtf8("\xc0\xae"), r + r);                  // overlong '.'
  EXPECT_EQ(ToUtf8("\xe0\x80\xae"), r + r + r);          // overlong '.'
  EXPECT_EQ(ToUtf8("\xed\xa0\x80"), r + r + r);          // surrogate
  EXPECT_EQ(ToUtf8("\xf4\x90\x80\x80"), r + r + r + r);  // beyond U+10FFFF
  EXPECT_EQ(ToUtf8("\xe4\x41\x42"), r + "AB");
}

}  // namespace
}  // namespace rawgate::file
