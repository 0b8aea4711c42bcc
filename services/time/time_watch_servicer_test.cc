#include "services/time/time_watch_servicer.h"

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/clock.h"
#include "runtime/base/status.h"
#include "runtime/rpc/proto_time.h"
#include "runtime/rpc/status.h"
#include "runtime/testing/raw_client.h"
#include "services/time/time_servicer_testing.h"

namespace rawgate::timesvc {
namespace {

namespace pb = rawgate::time::v1;

pb::WatchTimeRequest Every(absl::Duration interval) {
  pb::WatchTimeRequest request;
  *request.mutable_interval() = rpc::ToProto(interval);
  return request;
}

// One client's watch.
class Watch {
 public:
  Watch(pb::TimeService::Stub& stub, const pb::WatchTimeRequest& request)
      : reader_(stub.WatchTime(&context_, request)) {}

  // Returns once no tick is missed any more.
  void AwaitStart() { reader_->WaitForInitialMetadata(); }
  bool Read() {
    if (reader_->Read(&tick)) return true;
    status = rpc::FromGrpc(reader_->Finish());
    return false;
  }
  // Why the watch ended; nothing must have come before.
  std::string Reason() { return Read() ? "a tick came" : ReasonOf(status); }
  absl::Time time() const { return *rpc::FromProto(tick.time()); }
  void Cancel() { context_.TryCancel(); }

  // The last that was read.
  pb::WatchTimeResponse tick;
  absl::Status status;

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<pb::WatchTimeResponse>> reader_;
};

class WatchTimeTest : public TimeServicerTest {
 protected:
  // Moves the machine's clock, of which nobody is told, and has the watches look.
  void Advance(absl::Duration duration) {
    real_.Advance(duration);
    ASSERT_TRUE(clock_.Set(clock_.setting()).ok());
  }
  void Expect(Watch& watch, absl::Time time, uint64_t missed) {
    ASSERT_TRUE(watch.Read()) << watch.status;
    EXPECT_EQ(watch.time(), time);
    EXPECT_EQ(watch.tick.missed(), missed);
  }
  std::string ReasonFor(const pb::WatchTimeRequest& request) {
    Watch watch(*stub_, request);
    const std::string reason = watch.Reason();
    EXPECT_EQ(watch.status.code(), absl::StatusCode::kInvalidArgument);
    return reason + " " + FieldOf(watch.status);
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'234'567'890);
};

TEST_F(WatchTimeTest, TicksOnTheSecond) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  for (int i = 1; i <= 5; ++i) {
    Advance(absl::Seconds(1));
    Expect(watch, start_ + absl::Seconds(i), 0);
    EXPECT_EQ(rpc::FromProto(watch.tick.server_send_time()), real_.Now()) << "late by 123 ms";
  }
  EXPECT_EQ(watch.tick.formatted(), "2009-02-14 05:16:35");
  EXPECT_EQ(watch.tick.time_zone(), "XYZ");
  EXPECT_EQ(watch.tick.utc_offset_seconds(), 20'700);
  EXPECT_FALSE(watch.tick.test_clock());
}

TEST_F(WatchTimeTest, InAFormatAZoneAndAnInterval) {
  pb::WatchTimeRequest request = Every(absl::Hours(24));
  request.set_format("%F %T %Z");
  request.set_time_zone("Europe/Berlin");
  Watch watch(*stub_, request);
  watch.AwaitStart();
  Advance(absl::Minutes(30));
  Expect(watch, absl::FromUnixSeconds(1'234'569'600), 0);
  EXPECT_EQ(watch.tick.formatted(), "2009-02-14 01:00:00 CET");
  EXPECT_EQ(watch.tick.time_zone(), "Europe/Berlin");
  EXPECT_EQ(watch.tick.utc_offset_seconds(), 3600);
}

TEST_F(WatchTimeTest, AJumpForwardIsToldAsMissed) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  Advance(absl::Seconds(1));
  Expect(watch, start_ + absl::Seconds(1), 0);
  ASSERT_TRUE(clock_.Set({.offset = absl::Hours(1)}).ok());
  Expect(watch, start_ + absl::Seconds(3601), 3599);
  EXPECT_TRUE(watch.tick.test_clock());
  Advance(absl::Seconds(1));
  Expect(watch, start_ + absl::Seconds(3602), 0);
}

TEST_F(WatchTimeTest, AClockThatIsSetBackGoesOnTickingFromThere) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  ASSERT_TRUE(clock_.Set({.offset = -absl::Hours(1)}).ok());
  // The watch looks, and finds where the clock is now.
  fixture_.loop_thread().Run([] {});
  for (int i = 1; i <= 3; ++i) {
    Advance(absl::Seconds(1));
    Expect(watch, start_ - absl::Hours(1) + absl::Seconds(i), 0);
    EXPECT_TRUE(watch.tick.test_clock());
  }
}

TEST_F(WatchTimeTest, AFrozenClockDoesNotTick) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  ASSERT_TRUE(clock_.Set({.frozen = true}).ok());
  real_.Advance(absl::Seconds(10));
  ASSERT_TRUE(clock_.Set({}).ok());
  Expect(watch, start_ + absl::Seconds(10), 9);
  EXPECT_FALSE(watch.tick.test_clock()) << "a tick of the frozen clock";
}

TEST_F(WatchTimeTest, AFastClockTicksFaster) {
  ASSERT_TRUE(clock_.Set({.rate = 10}).ok());
  Watch watch(*stub_, {});
  watch.AwaitStart();
  // Told by the timer: setting the clock again would have it begin anew.
  for (int i = 1; i <= 3; ++i) {
    real_.Advance(absl::Milliseconds(100));
    Expect(watch, start_ + absl::Seconds(i), 0);
    EXPECT_TRUE(watch.tick.test_clock());
  }
}

TEST_F(WatchTimeTest, TicksOfAVeryFastClockAreKeptApart) {
  ASSERT_TRUE(clock_.Set({.rate = 1000}).ok());
  Watch watch(*stub_, {});
  watch.AwaitStart();
  for (int i = 1; i <= 3; ++i) {
    real_.Advance(absl::Milliseconds(50));
    // Goes on as before, but the watch looks at once.
    const absl::Duration told_ahead = i * absl::Milliseconds(100) * 999;
    ASSERT_TRUE(
        clock_.Set({.offset = told_ahead - absl::Milliseconds(50) * 999, .rate = 1000}).ok());
    pb::GetTestClockResponse looked;
    ASSERT_TRUE(
        Call(&pb::TimeService::Stub::GetTestClock, pb::GetTestClockRequest(), &looked).ok());
    real_.Advance(absl::Milliseconds(50));
    Expect(watch, start_ + i * absl::Seconds(100), 99);
  }
}

TEST_F(WatchTimeTest, BeyondTheMostThatMayWatchOneIsToldToTryAgain) {
  std::vector<std::unique_ptr<Watch>> watches;
  for (size_t i = 0; i < TimeServicer::kWatchesMax; ++i)
    watches.push_back(std::make_unique<Watch>(*stub_, pb::WatchTimeRequest()));
  for (const auto& watch : watches) watch->AwaitStart();
  Watch refused(*stub_, {});
  EXPECT_EQ(refused.Reason(), "TOO_MANY_WATCHERS");
  EXPECT_EQ(refused.status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(RetryAfterOf(refused.status).has_value());
  watches.back()->Cancel();
  EXPECT_TRUE(testing::Eventually([&] {
    std::vector<net::ConnectionInfo> rows;
    fixture_.admission().List(0, 1000, &rows);
    return rows.size() < TimeServicer::kWatchesMax;
  }));
  Watch admitted(*stub_, {});
  admitted.AwaitStart();
  Advance(absl::Seconds(1));
  Expect(admitted, start_ + absl::Seconds(1), 0);
}

TEST_F(WatchTimeTest, ASlowClientIsToldWhatItMissed) {
  constexpr int kTicks = 2000;
  pb::WatchTimeRequest request;
  // More in all than the windows and buffers on the way hold.
  request.set_format("%60000d");
  Watch watch(*stub_, request);
  watch.AwaitStart();
  for (int i = 0; i < kTicks; ++i) Advance(absl::Seconds(1));
  uint64_t read = 0;
  uint64_t missed = 0;
  while (watch.time() < start_ + absl::Seconds(kTicks)) {
    ASSERT_TRUE(watch.Read()) << watch.status;
    ++read;
    missed += watch.tick.missed();
    ASSERT_EQ(watch.time(), start_ + absl::Seconds(read + missed));
    EXPECT_EQ(watch.tick.formatted().size(), 60'000u);
  }
  EXPECT_EQ(watch.time(), start_ + absl::Seconds(kTicks)) << "the last comes, however late";
  EXPECT_GT(missed, 0u);
}

TEST_F(WatchTimeTest, ATickLaterEveryWatcherHasIt) {
  std::vector<std::unique_ptr<Watch>> watches;
  for (int i = 0; i < 50; ++i)
    watches.push_back(std::make_unique<Watch>(*stub_, pb::WatchTimeRequest()));
  for (const auto& watch : watches) watch->AwaitStart();
  Advance(absl::Seconds(1));
  for (const auto& watch : watches) Expect(*watch, start_ + absl::Seconds(1), 0);
}

TEST_F(WatchTimeTest, NamesTheFieldThatIsWrong) {
  for (const absl::Duration interval :
       {absl::ZeroDuration(), -absl::Seconds(1), absl::Milliseconds(100) - absl::Nanoseconds(1),
        absl::Hours(24) + absl::Nanoseconds(1)}) {
    EXPECT_EQ(ReasonFor(Every(interval)), "BAD_INTERVAL interval") << interval;
  }
  pb::WatchTimeRequest request;
  request.mutable_interval()->set_seconds(1);
  request.mutable_interval()->set_nanos(-1);
  EXPECT_EQ(ReasonFor(request), "BAD_INTERVAL interval") << "no duration";
  request.clear_interval();
  request.set_format("%H:%M:%");
  EXPECT_EQ(ReasonFor(request), "BAD_FORMAT format");
  request.set_format(std::string(1025, 'x'));
  EXPECT_EQ(ReasonFor(request), "FORMAT_TOO_LONG format");
  request.set_format("");
  request.set_time_zone("Mars/Olympus");
  EXPECT_EQ(ReasonFor(request), "UNKNOWN_TIME_ZONE time_zone");
}

TEST_F(WatchTimeTest, TakesTheLimitsThemselves) {
  for (const absl::Duration interval : {absl::Milliseconds(100), absl::Hours(24)}) {
    Watch watch(*stub_, Every(interval));
    watch.AwaitStart();
    Advance(interval);
    ASSERT_TRUE(watch.Read()) << watch.status;
    EXPECT_EQ(absl::Floor(watch.time() - absl::UnixEpoch(), interval),
              watch.time() - absl::UnixEpoch());
  }
}

TEST_F(WatchTimeTest, AStopEndsWatchesAtOnce) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  ASSERT_TRUE(fixture_.Stop(absl::Minutes(10)).ok());
  EXPECT_EQ(watch.Reason(), "SERVICE_STOPPED");
  EXPECT_EQ(watch.status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Watch(*stub_, {}).Reason(), "SERVICE_STOPPED");

  ASSERT_TRUE(fixture_.Start().ok());
  Watch again(*stub_, {});
  again.AwaitStart();
  Advance(absl::Seconds(1));
  Expect(again, start_ + absl::Seconds(1), 0);
}

TEST_F(WatchTimeTest, AProcessThatGoesTellsWatchersToTryAgain) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  fixture_.admission().BeginShutdown();
  ASSERT_TRUE(fixture_.Stop(absl::Minutes(10)).ok());
  EXPECT_EQ(watch.Reason(), "DRAINING");
  EXPECT_EQ(watch.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(RetryAfterOf(watch.status).has_value());
}

TEST_F(WatchTimeTest, AnOperatorsCloseEndsAWatchWithItsReason) {
  Watch watch(*stub_, {});
  watch.AwaitStart();
  std::vector<net::ConnectionInfo> rows;
  fixture_.admission().List(0, 10, &rows);
  EXPECT_TRUE(fixture_.admission().Cancel(rows.at(0).id));
  EXPECT_EQ(watch.Reason(), "CLOSED_BY_OPERATOR");
  EXPECT_EQ(watch.status.code(), absl::StatusCode::kCancelled);
}

TEST_F(WatchTimeTest, WatchersThatVanishLeaveNothingBehind) {
  for (int i = 0; i < 200; ++i) {
    Watch watch(*stub_, Every(absl::Milliseconds(100)));
    if (i % 2 == 0) watch.AwaitStart();
    real_.Advance(absl::Milliseconds(100));
    watch.Cancel();
  }
  EXPECT_TRUE(testing::Eventually([&] {
    std::vector<net::ConnectionInfo> rows;
    fixture_.admission().List(0, 10, &rows);
    return rows.empty();
  }));
}

// The machine's own clock and no test clock: every tick is a multiple, and none is lost unsaid.
TEST(WatchTimeOfTheMachineTest, TicksOnWholeMultiples) {
  constexpr absl::Duration kInterval = absl::Milliseconds(100);
  SystemClock clock;
  TimeCore core(clock);
  testing::ServiceFixture fixture("time");
  TimeServicer servicer(core, fixture.admission());
  fixture.service().Add(servicer);
  fixture.Serve(servicer);
  const auto stub = pb::TimeService::NewStub(fixture.channel());
  {
    Watch watch(*stub, Every(kInterval));
    absl::Time last;
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(watch.Read()) << watch.status;
      EXPECT_EQ(absl::Floor(watch.time() - absl::UnixEpoch(), kInterval),
                watch.time() - absl::UnixEpoch());
      if (i > 0) {
        EXPECT_EQ(watch.time(), last + (watch.tick.missed() + 1) * kInterval);
      }
      EXPECT_GE(*rpc::FromProto(watch.tick.server_send_time()), watch.time());
      last = watch.time();
    }
  }
  fixture.Shutdown();
}

}  // namespace
}  // namespace rawgate::timesvc
