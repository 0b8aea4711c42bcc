#include "runtime/http2/header_list.h"

#include <string>

#include "gtest/gtest.h"

namespace rawgate::http2 {
namespace {

TEST(HeaderListTest, InOrderAndAsTheyWere) {
  HeaderList list;
  EXPECT_TRUE(list.empty());
  list.Add(":path", "/x");
  list.Add("empty", "");
  list.Add("bytes-bin", std::string("\0\xff", 2));
  list.Add("secret", "s", /*sensitive=*/true);
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].name, ":path");
  EXPECT_EQ(list[0].value, "/x");
  EXPECT_EQ(list[1].name, "empty");
  EXPECT_EQ(list[1].value, "");
  EXPECT_EQ(list[2].value, std::string("\0\xff", 2));
  EXPECT_FALSE(list[2].sensitive);
  EXPECT_TRUE(list[3].sensitive);
}

TEST(HeaderListTest, FindsTheFirst) {
  HeaderList list;
  list.Add("name", "one");
  list.Add("name", "two");
  list.Add("names", "three");
  EXPECT_EQ(list.Find("name"), "one");
  EXPECT_EQ(list.Find("names"), "three");
}

TEST(HeaderListTest, NoneIsAnotherThanAnEmptyOne) {
  HeaderList list;
  EXPECT_EQ(list.Find("empty").data(), nullptr);
  list.Add("empty", "");
  EXPECT_NE(list.Find("empty").data(), nullptr);
  EXPECT_EQ(list.Find("empt").data(), nullptr);
  EXPECT_EQ(list.Find("").data(), nullptr);
}

TEST(HeaderListTest, ACopyIsItsOwn) {
  HeaderList list;
  list.Add("name", "value");
  HeaderList copy = list;
  list.Add("more", "x");
  EXPECT_EQ(copy.size(), 1U);
  EXPECT_EQ(copy.Find("name"), "value");
  const HeaderList moved = std::move(list);
  EXPECT_EQ(moved.Find("more"), "x");
}

}  // namespace
}  // namespace rawgate::http2
