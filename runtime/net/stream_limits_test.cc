// What one peer of a stream listener may take, and what others then still get.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "runtime/net/stream_listener_testing.h"

namespace rawgate::net {
namespace {

TEST_F(StreamListenerTest, HeaderDeadlineIsAbsolute) {
  Listen({.header_timeout = std::chrono::milliseconds(300)});
  RawClient client(Uri());
  // A byte now and then does not extend it: this ends although bytes keep coming.
  while (client.Send("x") && Closed(CloseReason::kHeaderDeadline) == 0)
    absl::SleepFor(absl::Milliseconds(5));
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kHeaderDeadline) == 1; }));
}

TEST_F(StreamListenerTest, IdleAndStalledConnectionsEnd) {
  Listen({.idle_timeout = std::chrono::milliseconds(200),
          .stall_timeout = std::chrono::milliseconds(200)});
  RawClient idle(Uri());
  EXPECT_EQ(idle.ReadToEnd(), "");
  EXPECT_EQ(Closed(CloseReason::kIdle), 1);

  RawClient deaf(Uri());
  ASSERT_TRUE(deaf.Send("big\n"));
  EXPECT_TRUE(Eventually([&] { return Closed(CloseReason::kStalled) == 1; }));
}

TEST_F(StreamListenerTest, AFullListenerRecovers) {
  Listen({.connections_max = 2});
  RawClient first(Uri());
  RawClient second(Uri());
  ASSERT_TRUE(second.Send("2\n"));
  EXPECT_EQ(second.ReadExactly(2), "2\n");
  RawClient third(Uri());  // waits in the backlog
  ASSERT_TRUE(third.Send("3\n"));
  EXPECT_EQ(Open(), 2);
  first.Close();
  EXPECT_EQ(third.ReadExactly(2), "3\n");
}

TEST_F(StreamListenerTest, SurvivesWantOfDescriptors) {
  Listen();
  const std::string uri = Uri();
  RawClient before(uri);
  RawClient waiting(uri);  // its own descriptor must exist before the limit falls
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_TRUE(Eventually([&] { return Open() == 2; }));

  // The next client descriptor takes the last number that the limit allows: accept(2) finds none.
  const int next = ::dup(0);
  ::close(next);
  rlimit tight = limit;
  tight.rlim_cur = static_cast<rlim_t>(next) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  RawClient starved(uri);
  ASSERT_TRUE(starved.connected());
  ASSERT_TRUE(starved.Send("s\n"));
  ASSERT_TRUE(before.Send("b\n"));
  EXPECT_EQ(before.ReadExactly(2), "b\n");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_EQ(starved.ReadExactly(2), "s\n");
}

}  // namespace
}  // namespace rawgate::net
