// SetFaults of one service.
#include <string>

#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_servicer_testing.h"
#include "runtime/rpc/fault_messages.h"
#include "runtime/rpc/proto_time.h"

namespace rawgate::rpc {
namespace {

class ControlFaultsTest : public ControlServicerTest {
 protected:
  absl::Status Set(const std::string& listener, const pb::Faults& faults,
                   pb::Service* service = nullptr, const std::string& instance = "") {
    pb::SetFaultsRequest request;
    request.set_service("fake");
    request.set_listener(listener);
    request.set_instance(instance);
    *request.mutable_faults() = faults;
    pb::SetFaultsResponse response;
    const absl::Status status = Call(&pb::ControlService::Stub::SetFaults, request, &response);
    if (service != nullptr) *service = response.service();
    return status;
  }
  static pb::Faults Delay(absl::Duration delay) {
    pb::Faults faults;
    faults.set_seed(7);
    *faults.mutable_stream_sent()->mutable_delay() = ToProto(delay);
    return faults;
  }
  void Allow() {
    server_.loop_thread.Run([&] { server_.service.AllowFaults(); });
  }
};

TEST_F(ControlFaultsTest, NotWithoutTheFlag) {
  const absl::Status refused = Set("tcp", Delay(absl::Seconds(1)));
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), "FAULTS_NOT_ALLOWED");
}

TEST_F(ControlFaultsTest, AreToldWithTheirCountersWhileThereAreAny) {
  Allow();
  pb::Service service;
  ASSERT_TRUE(Set("tcp", Delay(absl::Milliseconds(1500)), &service).ok());
  EXPECT_EQ(service.listeners(0).faults().stream_sent().delay().seconds(), 1);
  EXPECT_EQ(service.listeners(0).faults().stream_sent().delay().nanos(), 500'000'000);
  EXPECT_EQ(service.listeners(0).faults().seed(), 7u);
  EXPECT_FALSE(service.listeners(0).faults().has_stream_received());
  EXPECT_TRUE(service.listeners(0).has_fault_counters());
  EXPECT_FALSE(service.listeners(1).has_faults());
  ASSERT_TRUE(Set("", pb::Faults(), &service).ok());
  EXPECT_FALSE(service.listeners(0).has_faults());
  EXPECT_FALSE(service.listeners(0).has_fault_counters());
}

TEST_F(ControlFaultsTest, WhatIsWrongIsToldByItsField) {
  Allow();
  const absl::Status late = Set("tcp", Delay(absl::Seconds(61)));
  EXPECT_EQ(late.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(late), "BAD_FAULTS");
  EXPECT_EQ(FieldOf(late), "faults.stream_sent.delay");
  pb::Faults no_duration;
  no_duration.mutable_datagrams_sent()->mutable_jitter()->set_nanos(1'000'000'000);
  EXPECT_EQ(FieldOf(Set("", no_duration)), "faults.datagrams_sent.jitter");
  EXPECT_EQ(ReasonOf(Set("nosuch", Delay(absl::Seconds(1)))), "LISTENER_NOT_FOUND");
  EXPECT_EQ(ReasonOf(Set("", Delay(absl::Seconds(1)), nullptr, "another")), "INSTANCE_NOT_FOUND");
}

TEST(FaultMessages, ThereAndBack) {
  pb::Faults faults;
  faults.set_seed(UINT64_MAX);
  faults.set_fail_first(3);
  *faults.mutable_stream_received()->mutable_delay() = ToProto(absl::Minutes(1));
  faults.mutable_stream_received()->set_cut_after_bytes(5);
  faults.mutable_stream_received()->set_cut_with_reset(true);
  faults.mutable_stream_sent()->set_split_bytes(1);
  faults.mutable_stream_sent()->set_bytes_per_second(9);
  *faults.mutable_datagrams_received()->mutable_jitter() = ToProto(absl::Nanoseconds(1));
  faults.mutable_datagrams_sent()->set_loss(0.5);
  faults.mutable_datagrams_sent()->set_duplication(0.25);
  faults.mutable_datagrams_sent()->set_reordering(0.125);
  faults.mutable_datagrams_sent()->set_corruption(1);
  const auto parsed = FromProto(faults);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(ToProto(*parsed).SerializeAsString(), faults.SerializeAsString());
}

}  // namespace
}  // namespace rawgate::rpc
