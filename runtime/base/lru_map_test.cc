#include "runtime/base/lru_map.h"

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Keys(const LruMap<std::string, int>& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.key);
  return keys;
}

TEST(LruMapTest, TouchMakesAndFinds) {
  LruMap<std::string, int> map(3);
  EXPECT_EQ(map.Find("a"), nullptr);
  map.Touch("a") = 1;
  EXPECT_EQ(map.Touch("a"), 1);
  EXPECT_EQ(*map.Find(absl::string_view("a")), 1);
  EXPECT_EQ(map.size(), 1u);
}

TEST(LruMapTest, ForgetsTheLeastRecentlyTouched) {
  LruMap<std::string, int> map(3);
  map.Touch("a") = 1;
  map.Touch("b") = 2;
  map.Touch("c") = 3;
  EXPECT_TRUE(map.full());
  map.Touch("a");
  EXPECT_EQ(map.oldest().key, "b");
  EXPECT_EQ(map.Touch("d"), 0) << "a reused entry starts anew";
  EXPECT_EQ(map.Find("b"), nullptr);
  EXPECT_THAT(Keys(map), ElementsAre("d", "a", "c"));
}

TEST(LruMapTest, FindIsNoTouch) {
  LruMap<std::string, int> map(2);
  map.Touch("a");
  map.Touch("b");
  map.Find("a");
  map.Touch("c");
  EXPECT_EQ(map.Find("a"), nullptr);
}

TEST(LruMapTest, EraseMakesRoom) {
  LruMap<std::string, int> map(2);
  map.Touch("a");
  map.Touch("b");
  EXPECT_TRUE(map.Erase("b"));
  EXPECT_FALSE(map.Erase("b"));
  map.Touch("c");
  EXPECT_THAT(Keys(map), ElementsAre("c", "a"));
}

TEST(LruMapTest, OfCapacityOne) {
  LruMap<std::string, int> map(1);
  map.Touch("a") = 1;
  map.Touch("b") = 2;
  EXPECT_THAT(Keys(map), ElementsAre("b"));
  EXPECT_EQ(*map.Find("b"), 2);
}

}  // namespace
}  // namespace rawgate
