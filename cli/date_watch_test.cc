#include "cli/date_watch.h"

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/command_testing.h"
#include "cli/proto_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {
namespace {

using testing::HasSubstr;

// Sends what it was given, then ends as it was told.
class FakeTime final : public time::v1::TimeService::Service {
 public:
  grpc::Status WatchTime(grpc::ServerContext* context, const time::v1::WatchTimeRequest* request,
                         grpc::ServerWriter<time::v1::WatchTimeResponse>* writer) override {
    last_request = *request;
    for (const auto& tick : ticks) writer->Write(tick);
    if (interrupt != nullptr) {
      EXPECT_TRUE(interrupt->Deliver(SIGINT));
    }
    while (for_ever && !context->IsCancelled()) std::this_thread::yield();
    return end;
  }

  void Add(const std::string& formatted, uint64_t missed = 0) {
    time::v1::WatchTimeResponse& tick = ticks.emplace_back();
    tick.mutable_time()->set_seconds(static_cast<int64_t>(ticks.size()));
    tick.set_formatted(formatted);
    tick.set_missed(missed);
  }

  std::vector<time::v1::WatchTimeResponse> ticks;
  grpc::Status end = grpc::Status::OK;
  // Until it is cancelled.
  bool for_ever = false;
  Interrupt* interrupt = nullptr;
  time::v1::WatchTimeRequest last_request;
};

class DateWatchTest : public testing::Test {
 protected:
  FakeTime time_;
  FakeGateway gateway_{&time_};
};

TEST_F(DateWatchTest, PrintsALineForEachTickAndStopsAtTheCount) {
  time_.for_ever = true;
  for (const char* text : {"14:03:01", "14:03:02", "14:03:03"}) time_.Add(text);
  const CliResult result = gateway_.Run({"date", "--watch", "--count", "2"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "14:03:01\n14:03:02\n");
  EXPECT_EQ(result.error, "");
}

TEST_F(DateWatchTest, PassesWhatIsAskedFor) {
  time_.Add("");
  gateway_.Run({"date", "--watch", "--count=1"});
  EXPECT_EQ(time_.last_request.format(), "");
  EXPECT_EQ(ToDuration(time_.last_request.interval()), absl::Seconds(1));
  gateway_.Run({"date", "+%T", "--watch", "--count=1", "--interval", "250ms", "--zone", "UTC"});
  EXPECT_EQ(time_.last_request.format(), "%T");
  EXPECT_EQ(time_.last_request.time_zone(), "UTC");
  EXPECT_EQ(ToDuration(time_.last_request.interval()), absl::Milliseconds(250));
  gateway_.Run({"date", "--watch", "--count=1", "--interval=0"});
  EXPECT_TRUE(time_.last_request.has_interval()) << "the service says what is wrong with it";
}

TEST_F(DateWatchTest, SaysWhatWasMissedOnStandardError) {
  time_.Add("one");
  time_.Add("two", 1);
  time_.Add("three", 25);
  const CliResult result = gateway_.Run({"date", "--watch", "--count=3"});
  EXPECT_EQ(result.out, "one\ntwo\nthree\n");
  EXPECT_EQ(result.error, "rawgate date: missed 1 tick\nrawgate date: missed 25 ticks\n");
}

TEST_F(DateWatchTest, PrintsJsonLines) {
  time_.Add("one");
  time_.Add("two\n", 7);
  const CliResult result = gateway_.Run({"date", "--watch", "--json", "--count=2"});
  const std::vector<std::string> lines = absl::StrSplit(result.out, '\n');
  ASSERT_EQ(lines.size(), 3u) << result.out;
  EXPECT_THAT(lines[0], HasSubstr(R"("formatted":"one")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("time":"1970-01-01T00:00:01Z")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("formatted":"two\n")"));
  EXPECT_THAT(lines[1], HasSubstr(R"("missed":"7")"));
  EXPECT_EQ(result.error, "") << "the JSON says it";
}

TEST_F(DateWatchTest, EndsAtAnInterrupt) {
  Interrupt interrupt;
  time_.interrupt = &interrupt;
  time_.for_ever = true;
  time_.Add("one");
  const CliResult result = gateway_.Run({"date", "--watch"}, "", interrupt);
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.error, "");
}

TEST_F(DateWatchTest, SaysWhyItEnded) {
  time_.Add("one");
  time_.end = rpc::ToGrpc(
      Error(absl::StatusCode::kFailedPrecondition, "SERVICE_STOPPED", "service time is stopped"));
  CliResult result = gateway_.Run({"date", "--watch"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.out, "one\n");
  EXPECT_EQ(result.error,
            "rawgate date: service time is stopped. 'rawgate start' brings it back.\n");

  time_.end = grpc::Status::OK;
  result = gateway_.Run({"date", "--watch"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.error, "rawgate date: the service ended the watch\n");
}

}  // namespace
}  // namespace rawgate::cli
