#include "runtime/metrics/descriptor_count.h"

#include <fcntl.h>

#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::metrics {
namespace {

TEST(DescriptorCountTest, CountsAtMostOnceASecond) {
  DescriptorCount count;
  const absl::Time start = absl::FromUnixSeconds(1'000);
  const std::optional<double> before = count.At(start);
  ASSERT_TRUE(before.has_value());
  const Fd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(one);
  EXPECT_EQ(count.At(start + absl::Milliseconds(999)), before);
  EXPECT_EQ(count.At(start + absl::Seconds(1)), *before + 1);
}

TEST(DescriptorCountTest, CountsAgainWhenTheClockWasSetBack) {
  DescriptorCount count;
  const std::optional<double> before = count.At(absl::FromUnixSeconds(1'000));
  const Fd one(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(count.At(absl::FromUnixSeconds(10)), *before + 1);
}

}  // namespace
}  // namespace rawgate::metrics
