#include "gateway/health_watch.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/http2/connection_testing.h"

namespace rawgate::gateway {
namespace {

using ::testing::ElementsAre;
using Health = HealthWatch::Health;

class HealthWatchTest : public http2::ConnectionTest {
 protected:
  // Begins the watch, and its answer.
  http2::TestStream& Watch() {
    StartBoth();
    Do([&] { EXPECT_TRUE(watch_.Begin(*client_.connection, "x", "http")); });
    EXPECT_TRUE(Until([&] { return !server_.requests.empty() && server_.requests[0]->ends == 1; }));
    http2::TestStream& served = *server_.requests[0];
    Do([&] { served.SendHeaders(Answer(), /*end=*/false); });
    return served;
  }

  std::vector<Health> told_;
  HealthWatch watch_{[this](Health health) { told_.push_back(health); }};
};

// A HealthCheckResponse of SERVING, and one of NOT_SERVING.
constexpr absl::string_view kServing("\0\0\0\0\2\x08\1", 7);
constexpr absl::string_view kNotServing("\0\0\0\0\2\x08\2", 7);

TEST_F(HealthWatchTest, EachAnswerIsTold) {
  http2::TestStream& served = Watch();
  Do([&] { served.Write(kServing); });
  ASSERT_TRUE(Until([&] { return told_.size() == 1; }));
  Do([&] { served.Write(kNotServing.substr(0, 3)); });
  Do([&] {
    served.Write(kNotServing.substr(3));
    served.Write(kServing);
  });
  ASSERT_TRUE(Until([&] { return told_.size() == 3; }));
  EXPECT_THAT(told_, ElementsAre(Health::kServing, Health::kNotServing, Health::kServing));
}

TEST_F(HealthWatchTest, ItsEndIsToldOnce) {
  http2::TestStream& served = Watch();
  Do([&] { served.EndWithTrailers(Trailers()); });
  ASSERT_TRUE(Until([&] { return !watch_.open(); }));
  EXPECT_THAT(told_, ElementsAre(Health::kUnknown));
  EXPECT_TRUE(watch_.served());
}

// Nothing of what a replica says without end is kept.
TEST_F(HealthWatchTest, WhatIsNoAnswerEndsIt) {
  http2::TestStream& served = Watch();
  Do([&] { served.Write("no answer"); });
  ASSERT_TRUE(Until([&] { return served.closed.has_value(); }));
  EXPECT_FALSE(watch_.open());
  EXPECT_THAT(told_, ElementsAre(Health::kUnknown));
  EXPECT_TRUE(watch_.served());
}

}  // namespace
}  // namespace rawgate::gateway
