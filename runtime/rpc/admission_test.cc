#include "runtime/rpc/admission.h"

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/post.hpp>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/admission_testing.h"
#include "runtime/rpc/control_test_server.h"

namespace rawgate::rpc {
namespace {

TEST_F(AdmissionTest, CountsCallsBeforeTheClientHasItsAnswer) {
  const observe::Counters& counters = base_.service.rpc_counters();
  for (uint64_t i = 1; i <= 20; ++i) {
    ASSERT_TRUE(Get("one").ok());
    ASSERT_EQ(counters.requests.value(), i);
  }
  EXPECT_EQ(counters.request_errors.value(), 0u);
  EXPECT_EQ(counters.connections_opened.value(), 0u) << "a call is no connection";
}

TEST_F(AdmissionTest, CountsFailures) {
  Client client([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(1));
  calls_.EndAll(Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", "none"));
  const absl::Status status = client.Join();
  EXPECT_EQ(ReasonOf(status), "FILE_NOT_FOUND");
  EXPECT_EQ(base_.service.rpc_counters().requests.value(), 1u);
  EXPECT_EQ(base_.service.rpc_counters().request_errors.value(), 1u);
}

TEST_F(AdmissionTest, ListsCallsInProgress) {
  Client first([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(1));
  Client second([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(2));

  const auto rows = Rows();
  EXPECT_LT(rows[0].id, rows[1].id);
  EXPECT_EQ(rows[0].listener, "rpc");
  EXPECT_EQ(rows[0].transport, observe::Transport::kRpc);
  EXPECT_TRUE(absl::StartsWith(rows[0].peer, "tcp://127.0.0.1:")) << rows[0].peer;
  EXPECT_LE(rows[0].open_time, rows[1].open_time);
  EXPECT_EQ(Rows(rows[0].id).size(), 1u);
  EXPECT_EQ(Rows(rows[1].id).size(), 0u);
  EXPECT_EQ(Rows(0, 1).size(), 1u);

  calls_.EndAll(absl::OkStatus());
  EXPECT_TRUE(first.Join().ok());
  EXPECT_TRUE(second.Join().ok());
  EXPECT_TRUE(HasRows(0));
}

TEST_F(AdmissionTest, ACallKnowsItsClientAndItsRole) {
  const auto role_of = [this](const std::string& role) {
    Client client([&] { return Get("hold", "tcp://192.0.2.1:4711", role); });
    EXPECT_TRUE(Holds(1));
    EXPECT_EQ(calls_.FirstPeer(), "tcp://192.0.2.1:4711");
    const std::optional<Role> found = calls_.FirstRole();
    calls_.EndAll(absl::OkStatus());
    EXPECT_TRUE(client.Join().ok());
    return found;
  };
  EXPECT_EQ(role_of("viewer"), Role::kViewer);
  EXPECT_EQ(role_of("executor"), Role::kExecutor);
  EXPECT_EQ(role_of(""), Role::kAdmin);
  EXPECT_EQ(role_of("root"), std::nullopt);
}

TEST_F(AdmissionTest, ListsTheClientThatTheGatewayNames) {
  Client named([&] { return Get("hold", "tcp://192.0.2.1:4711"); });
  ASSERT_TRUE(Holds(1));
  Client hostile([&] { return Get("hold", std::string(1000, 'x')); });
  ASSERT_TRUE(Holds(2));
  EXPECT_EQ(Rows()[0].peer, "tcp://192.0.2.1:4711");
  EXPECT_EQ(Rows()[1].peer, std::string(128, 'x'));
  calls_.EndAll(absl::OkStatus());
  EXPECT_TRUE(named.Join().ok());
  EXPECT_TRUE(hostile.Join().ok());
}

TEST(PeerUriTest, IsAnAddressAsWeWriteThem) {
  EXPECT_EQ(PeerUri("ipv4:127.0.0.1:4711"), "tcp://127.0.0.1:4711");
  EXPECT_EQ(PeerUri("ipv6:%5B::1%5D:4711"), "tcp://[::1]:4711");
  EXPECT_EQ(PeerUri("unix:"), "unix:");
}

TEST_F(AdmissionTest, RecordsWhatWasServed) {
  const auto watcher = base_.events.Watch();
  ASSERT_TRUE(Get("a\nb").ok());
  Client client([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(1));
  calls_.EndAll(Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND", "none"));
  client.Join().IgnoreError();

  const auto batch = watcher->Take(10);
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(batch.events[0].listener, "rpc");
  EXPECT_NE(batch.events[0].connection_id, 0u);
  const auto& good = std::get<observe::RequestServed>(batch.events[0].body);
  EXPECT_EQ(good.summary, "get: a?b");
  EXPECT_EQ(good.error_code, "");
  EXPECT_GT(good.duration, absl::ZeroDuration());
  const auto& bad = std::get<observe::RequestServed>(batch.events[1].body);
  EXPECT_EQ(bad.error_code, "NOT_FOUND");
}

TEST_F(AdmissionTest, RefusesWhileStopped) {
  ASSERT_TRUE(base_.Stop(absl::Seconds(1)).ok());
  const absl::Status status = Get("one");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), "SERVICE_STOPPED");
  EXPECT_EQ(base_.service.rpc_counters().requests.value(), 0u);

  ASSERT_TRUE(base_.Start().ok());
  EXPECT_TRUE(Get("one").ok());
}

TEST_F(AdmissionTest, AProcessThatIsGoingTellsClientsToTryAgain) {
  base_.admission.BeginShutdown();
  const auto expect_draining = [&] {
    const absl::Status status = Get("one");
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(status), "DRAINING");
    EXPECT_EQ(RetryAfterOf(status), absl::Seconds(1));
  };
  expect_draining();
  ASSERT_TRUE(base_.Stop(absl::Seconds(1)).ok());
  expect_draining();
}

TEST_F(AdmissionTest, RefusesMoreCallsThanItMayServe) {
  std::vector<Call> calls;
  grpc::CallbackServerContext context;
  for (size_t i = 0; i < Admission::kCallsMax; ++i) {
    absl::StatusOr<Call> call = base_.admission.Admit(context, "Echo");
    ASSERT_TRUE(call.ok());
    calls.push_back(*std::move(call));
  }
  const absl::Status status = Get("one");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_CALLS");
  EXPECT_NE(RetryAfterOf(status), std::nullopt);
  calls.pop_back();
  EXPECT_TRUE(Get("one").ok());
}

}  // namespace
}  // namespace rawgate::rpc
