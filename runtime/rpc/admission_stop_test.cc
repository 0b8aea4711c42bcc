// How calls end that are in progress: by a stop, by an operator, by a race of both.
#include <atomic>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/admission_testing.h"
#include "runtime/rpc/control_test_server.h"

namespace rawgate::rpc {
namespace {

TEST_F(AdmissionTest, AStopWaitsForCallsInProgressAndRefusesNewOnes) {
  Client held([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(1));
  absl::Notification stopped;
  base_.service.Stop("", absl::Minutes(1), [&](const absl::Status&) { stopped.Notify(); });
  ASSERT_TRUE(Eventually([&] { return !base_.service.accepting(); }));
  EXPECT_EQ(ReasonOf(Get("one")), "SERVICE_STOPPED");
  EXPECT_FALSE(stopped.HasBeenNotified());
  calls_.EndAll(absl::OkStatus());
  EXPECT_TRUE(held.Join().ok());
  stopped.WaitForNotification();
}

TEST_F(AdmissionTest, AfterTheGraceCallsAreCancelledWithTheCodeOfAStop) {
  Client first([&] { return Get("hold"); });
  Client second([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(2));
  ASSERT_TRUE(base_.Stop(absl::ZeroDuration()).ok());
  EXPECT_EQ(first.Join().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second.Join().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(HasRows(0));
}

TEST_F(AdmissionTest, AfterTheGraceCallsThatListenEndWithTheReasonOfTheStop) {
  Client stopped([&] { return Get("listen"); });
  ASSERT_TRUE(Holds(1));
  ASSERT_TRUE(base_.Stop(absl::ZeroDuration()).ok());
  const absl::Status of_stop = stopped.Join();
  EXPECT_EQ(of_stop.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(of_stop), "SERVICE_STOPPED");

  ASSERT_TRUE(base_.Start().ok());
  Client left([&] { return Get("listen"); });
  ASSERT_TRUE(Holds(1));
  base_.admission.BeginShutdown();
  ASSERT_TRUE(base_.Stop(absl::ZeroDuration()).ok());
  const absl::Status of_shutdown = left.Join();
  EXPECT_EQ(of_shutdown.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(of_shutdown), "DRAINING");
  EXPECT_EQ(RetryAfterOf(of_shutdown), absl::Seconds(1));
}

TEST_F(AdmissionTest, AnOperatorsCloseHasAReason) {
  Client client([&] { return Get("listen"); });
  ASSERT_TRUE(Holds(1));
  const uint64_t id = Rows()[0].id;
  EXPECT_TRUE(base_.admission.Cancel(id));
  const absl::Status status = client.Join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(ReasonOf(status), "CLOSED_BY_OPERATOR");
}

TEST_F(AdmissionTest, ACallThatDoesNotListenIsAskedOnceAndThenCancelled) {
  Client client([&] { return Get("deaf"); });
  ASSERT_TRUE(Holds(1));
  const uint64_t id = Rows()[0].id;
  EXPECT_TRUE(base_.admission.RequestEnd(id, absl::ResourceExhaustedError("why")));
  EXPECT_TRUE(base_.admission.RequestEnd(id, absl::InternalError("another")));
  EXPECT_EQ(calls_.held(), 1u);
  const absl::Status status = client.Join();
  EXPECT_EQ(status, absl::ResourceExhaustedError("why"));
  EXPECT_EQ(calls_.asked(), 1);
}

TEST_F(AdmissionTest, OneCallCanBeCancelled) {
  Client first([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(1));
  const uint64_t id = Rows()[0].id;
  Client second([&] { return Get("hold"); });
  ASSERT_TRUE(Holds(2));
  EXPECT_TRUE(base_.admission.Cancel(id));
  EXPECT_EQ(first.Join().code(), absl::StatusCode::kCancelled);
  ASSERT_TRUE(HasRows(1));
  EXPECT_FALSE(base_.admission.Cancel(id));
  calls_.EndAll(absl::OkStatus());
  EXPECT_TRUE(second.Join().ok());
}

TEST_F(AdmissionTest, ACallThatIsDroppedWithoutAWordHasEndedWell) {
  grpc::CallbackServerContext context;
  {
    absl::StatusOr<Call> call = base_.admission.Admit(context, "Echo");
    ASSERT_TRUE(call.ok());
    call->CountReceived(3);
    call->CountSent(4);
    const Call moved = *std::move(call);
    EXPECT_EQ(base_.service.rpc_counters().requests.value(), 0u);
  }
  const observe::Counters& counters = base_.service.rpc_counters();
  EXPECT_EQ(counters.requests.value(), 1u);
  EXPECT_EQ(counters.request_errors.value(), 0u);
  EXPECT_EQ(counters.bytes_received.value(), 3u);
  EXPECT_EQ(counters.bytes_sent.value(), 4u);
}

// Clients that cancel, a service that cancels, lists and ends calls, all at once.
TEST_F(AdmissionTest, CancellationRacesWithTheEndOfCalls) {
  constexpr int kClients = 4;
  std::atomic<int> running{kClients};
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, i] {
      for (int n = 0; n < 100; ++n) {
        grpc::ClientContext context;
        GetServiceRequest request;
        request.set_service(n % 4 == 0 ? "quick" : n % 4 == 1 ? "listen" : "hold");
        GetServiceResponse response;
        std::thread canceller;
        if ((n + i) % 3 == 0) canceller = std::thread([&] { context.TryCancel(); });
        const grpc::Status status = stub_->GetService(&context, request, &response);
        EXPECT_TRUE(status.ok() || status.error_code() == grpc::StatusCode::CANCELLED ||
                    status.error_code() == grpc::StatusCode::FAILED_PRECONDITION)
            << status.error_message();
        if (canceller.joinable()) canceller.join();
      }
      --running;
    });
  }
  for (int n = 0; running > 0; ++n) {
    if (n % 2 == 0) {
      base_.admission.Cancel();
    } else {
      calls_.EndAll(absl::OkStatus());
    }
    for (const net::ConnectionInfo& row : Rows()) base_.admission.Cancel(row.id);
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(HasRows(0));
  EXPECT_TRUE(base_.Stop(absl::Seconds(30)).ok());
}

}  // namespace
}  // namespace rawgate::rpc
