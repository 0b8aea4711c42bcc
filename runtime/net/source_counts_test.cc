#include "runtime/net/source_counts.h"

#include "gtest/gtest.h"

namespace rawgate::net {
namespace {

std::optional<SourceNetwork> Source(const char* uri) {
  return BoundedSource(*Endpoint::Parse(uri));
}

TEST(SourceCountsTest, LoopbackAndUnixAreNoSource) {
  for (const char* uri : {"tcp://127.0.0.1:1", "tcp://[::1]:1", "unix:///tmp/x"}) {
    EXPECT_EQ(Source(uri), std::nullopt) << uri;
  }
  EXPECT_NE(Source("tcp://10.0.0.1:1"), std::nullopt);
}

TEST(SourceCountsTest, CountsEachSource) {
  SourceCounts counts;
  const SourceNetwork four = *Source("tcp://10.0.0.1:1");
  counts.Add(four);
  counts.Add(*Source("tcp://10.0.0.1:2"));
  counts.Add(*Source("tcp://[fd00::1]:1"));
  EXPECT_EQ(counts.Of(four), 2);
  EXPECT_EQ(counts.Of(*Source("tcp://[fd00::2]:1")), 1);
  EXPECT_EQ(counts.Of(*Source("tcp://10.0.0.2:1")), 0);
  counts.Remove(four);
  counts.Remove(four);
  counts.Remove(four);
  EXPECT_EQ(counts.Of(four), 0);
}

}  // namespace
}  // namespace rawgate::net
