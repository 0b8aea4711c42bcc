#include "runtime/http2/byte_queue.h"

#include <random>
#include <string>

#include "gtest/gtest.h"

namespace rawgate::http2 {
namespace {

TEST(ByteQueueTest, FirstInFirstOut) {
  ByteQueue queue;
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Front(10), "");
  queue.Append("abc");
  queue.Append("");
  queue.Append("def");
  EXPECT_EQ(queue.size(), 6U);
  EXPECT_EQ(queue.Front(2), "ab");
  EXPECT_EQ(queue.Front(100), "abcdef");
  queue.RemoveFront(4);
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.Front(100), "ef");
  queue.Append("g");
  EXPECT_EQ(queue.Front(100), "efg");
  queue.RemoveFront(3);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.Front(1), "");
}

TEST(ByteQueueTest, MoreThanThereIsIsAllThereIs) {
  ByteQueue queue;
  queue.RemoveFront(1);
  queue.Append("abc");
  queue.RemoveFront(100);
  EXPECT_TRUE(queue.empty());
  queue.Append("d");
  EXPECT_EQ(queue.Front(10), "d");
}

// However it is filled and emptied: what comes out is what went in.
TEST(ByteQueueTest, AnyOrderOfCalls) {
  std::minstd_rand random(1);
  ByteQueue queue;
  std::string expected;
  char next = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string added(random() % 3'000, '\0');
    for (char& byte : added) byte = next++;
    if (random() % 2 == 0) {
      queue.Append(added);
      expected += added;
    }
    const size_t taken = random() % 3'000;
    ASSERT_EQ(queue.Front(taken), expected.substr(0, taken));
    queue.RemoveFront(taken);
    expected.erase(0, taken);
    ASSERT_EQ(queue.size(), expected.size());
    ASSERT_EQ(queue.empty(), expected.empty());
  }
}

}  // namespace
}  // namespace rawgate::http2
