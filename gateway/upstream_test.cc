#include "gateway/upstream.h"

#include <memory>
#include <thread>

#include <boost/asio/steady_timer.hpp>

#include "gtest/gtest.h"
#include "runtime/testing/loop_until.h"

namespace rawgate::gateway {
namespace {

// What has expired is called although it is cancelled meanwhile.
TEST(UpstreamTest, MayGoInTheTurnInWhichItWouldConnectAgain) {
  http2::Loop loop;
  int dials = 0;
  Upstream::Options options;
  options.dial = [&]() -> absl::StatusOr<std::unique_ptr<http2::Wire>> {
    ++dials;
    return absl::UnavailableError("nobody is there");
  };
  auto upstream = std::make_unique<Upstream>(loop, options, [] {});
  ASSERT_TRUE(testing::RunUntil(loop.context(), [&] { return dials == 1; }));

  boost::asio::steady_timer before(loop.context());
  before.expires_after(std::chrono::milliseconds(0));
  before.async_wait([&](const boost::system::error_code&) { upstream.reset(); });
  // The time is what this is about: from then on both are due, this one first, and neither was
  // told.
  std::this_thread::sleep_for(2 * Upstream::kBackoffMin);
  loop.context().restart();
  loop.context().poll();
  EXPECT_EQ(upstream, nullptr);
  EXPECT_EQ(dials, 1);
}

}  // namespace
}  // namespace rawgate::gateway
