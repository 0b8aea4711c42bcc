#include "runtime/metrics/service_metrics.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/testing/loop_thread.h"

namespace rawgate::metrics {
namespace {

using ::rawgate::testing::LoopThread;
using ::testing::HasSubstr;
using ::testing::Not;

// A listener without a socket.
class FakeListener final : public net::Listener {
 public:
  FakeListener(const char* name, const char* uri, observe::EventLog& events)
      : Listener(name, *net::Endpoint::Parse(uri), events) {}

  absl::Status Start() override { return start_result; }
  void Stop(std::function<void()> drained) override { drained(); }
  void CloseAll() override {}
  void List(uint64_t, size_t, std::vector<net::ConnectionInfo>*) override {}
  void RefreshCounters() override { counters_.datagrams_overflowed.Add(); }
  bool CloseConnection(uint64_t) override { return false; }

  absl::Status start_result;

 private:
  void ApplyFaults() override {}
};

class ServiceMetricsTest : public ::testing::Test {
 protected:
  ServiceMetricsTest() : service_(thread_.loop(), "test", events_) {
    tcp_ = Add("tcp", "tcp://127.0.0.1:1");
    udp_ = Add("udp", "udp://127.0.0.1:1");
  }
  ~ServiceMetricsTest() override { thread_.Stop(); }

  FakeListener* Add(const char* name, const char* uri) {
    auto listener = std::make_unique<FakeListener>(name, uri, events_);
    FakeListener* const added = listener.get();
    service_.Add(std::move(listener));
    return added;
  }

  std::string Text() {
    Page page;
    AddService(page, service_, "rpc", 77);
    return page.ToText();
  }

  absl::Status Start() {
    return Await([&](net::Service::Done done) { service_.Start("", done); });
  }
  absl::Status Stop(const char* listener) {
    return Await([&](net::Service::Done done) { service_.Stop(listener, absl::Seconds(1), done); });
  }

  LoopThread thread_;
  observe::EventLog events_;
  net::Service service_;
  FakeListener* tcp_;
  FakeListener* udp_;

 private:
  template <typename Begin>
  static absl::Status Await(Begin begin) {
    std::promise<absl::Status> result;
    begin([&](const absl::Status& status) { result.set_value(status); });
    return result.get_future().get();
  }
};

TEST_F(ServiceMetricsTest, StatesOfListeners) {
  EXPECT_THAT(Text(), HasSubstr("rawgate_listener_up{service=\"test\",listener=\"tcp\"} 0\n"));
  udp_->start_result = absl::UnavailableError("taken");
  EXPECT_FALSE(Start().ok());
  std::string text = Text();
  EXPECT_THAT(text, HasSubstr("rawgate_service_accepting{service=\"test\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("rawgate_listener_up{service=\"test\",listener=\"tcp\"} 1\n"));
  // Failed: not up, and wanted.
  EXPECT_THAT(text, HasSubstr("rawgate_listener_up{service=\"test\",listener=\"udp\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("rawgate_listener_wanted{service=\"test\",listener=\"udp\"} 1\n"));
  // Stopped: neither.
  EXPECT_TRUE(Stop("tcp").ok());
  text = Text();
  EXPECT_THAT(text, HasSubstr("rawgate_listener_up{service=\"test\",listener=\"tcp\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("rawgate_listener_wanted{service=\"test\",listener=\"tcp\"} 0\n"));
  EXPECT_TRUE(Stop("").ok());
  EXPECT_THAT(Text(), HasSubstr("rawgate_service_accepting{service=\"test\"} 0\n"));
}

TEST_F(ServiceMetricsTest, ListenersThatMisbehave) {
  EXPECT_THAT(Text(), HasSubstr("rawgate_listener_faults{service=\"test\",listener=\"udp\"} 0\n"));
  thread_.Run([&] { udp_->SetFaults({.fail_first = 1}); });
  EXPECT_THAT(Text(), HasSubstr("rawgate_listener_faults{service=\"test\",listener=\"udp\"} 1\n"));
}

TEST_F(ServiceMetricsTest, EveryCounterIsThere) {
  tcp_->counters().connections_opened.Add(3);
  tcp_->counters().connections_open.Add(2);
  tcp_->counters().closed[static_cast<size_t>(observe::CloseReason::kIdle)].Add(1);
  tcp_->counters().bytes_received.Add(100);
  tcp_->counters().bytes_sent.Add(200);
  udp_->counters().datagrams_received.Add(7);
  udp_->counters().datagrams_sent.Add(6);
  udp_->counters().send_failures.Add(5);
  udp_->counters().dropped[static_cast<size_t>(observe::DropReason::kMalformed)].Add(4);
  service_.rpc_counters().requests.Add(9);
  service_.rpc_counters().request_errors.Add(8);
  service_.rpc_counters().request_seconds.Observe(absl::Seconds(2));
  const std::string text = Text();
  for (const char* const sample :
       {"rawgate_listener_connections_opened_total{service=\"test\",listener=\"tcp\"} 3",
        "rawgate_listener_connections{service=\"test\",listener=\"tcp\"} 2",
        "rawgate_listener_connections_max{service=\"test\",listener=\"tcp\"} 77",
        "rawgate_listener_connections_closed_total{service=\"test\",listener=\"tcp\",reason="
        "\"idle\"} 1",
        "rawgate_listener_received_bytes_total{service=\"test\",listener=\"tcp\"} 100",
        "rawgate_listener_sent_bytes_total{service=\"test\",listener=\"tcp\"} 200",
        "rawgate_listener_datagrams_received_total{service=\"test\",listener=\"udp\"} 7",
        "rawgate_listener_datagrams_sent_total{service=\"test\",listener=\"udp\"} 6",
        "rawgate_listener_send_failures_total{service=\"test\",listener=\"udp\"} 5",
        "rawgate_listener_datagrams_dropped_total{service=\"test\",listener=\"udp\",reason="
        "\"malformed\"} 4",
        "rawgate_listener_requests_total{service=\"test\",listener=\"rpc\"} 9",
        "rawgate_listener_request_errors_total{service=\"test\",listener=\"rpc\"} 8",
        "rawgate_request_duration_seconds_sum{service=\"test\",listener=\"rpc\"} 2"}) {
    EXPECT_THAT(text, HasSubstr(std::string(sample) + "\n"));
  }
}

TEST_F(ServiceMetricsTest, NoCountersOfTheOtherKind) {
  const std::string text = Text();
  EXPECT_THAT(text, Not(HasSubstr("connections{service=\"test\",listener=\"udp\"}")));
  EXPECT_THAT(text, Not(HasSubstr("datagrams_sent_total{service=\"test\",listener=\"tcp\"}")));
  EXPECT_THAT(text, Not(HasSubstr("rawgate_listener_up{service=\"test\",listener=\"rpc\"}")));
}

TEST_F(ServiceMetricsTest, APageHasTheLoopAskTheKernelForTheNext) {
  Text();
  // The loop has done what was posted before.
  thread_.Run([] { return 0; });
  EXPECT_THAT(
      Text(),
      HasSubstr(
          "rawgate_listener_datagrams_overflowed_total{service=\"test\",listener=\"udp\"} 1\n"));
}

}  // namespace
}  // namespace rawgate::metrics
