#include "runtime/rpc/admission.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>

#include "absl/strings/match.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/base/status.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {
namespace {

using control::v1::ControlService;
using control::v1::GetServiceRequest;
using control::v1::GetServiceResponse;
using testing::ElementsAre;

// A typed service whose calls last until they are told to end, or are cancelled, if they are named
// "hold"; "listen" ends by itself when it is asked to, "deaf" is asked and does not.
class HeldCalls final : public ControlService::CallbackService {
 public:
  explicit HeldCalls(Admission& admission) : admission_(admission) {}

  grpc::ServerUnaryReactor* GetService(grpc::CallbackServerContext* context,
                                       const GetServiceRequest* request,
                                       GetServiceResponse*) override {
    absl::StatusOr<Call> call = admission_.Admit(*context, "GetService");
    if (!call.ok()) {
      auto* const reactor = context->DefaultReactor();
      reactor->Finish(ToGrpc(call.status()));
      return reactor;
    }
    call->Describe([&] { return "get: " + request->service(); });
    auto* const reactor = new Held(*this, *std::move(call));
    const std::string& name = request->service();
    if (name == "listen" || name == "deaf") reactor->OnEndRequested(name == "listen");
    if (name == "listen" || name == "deaf" || name == "hold") {
      reactor->Hold();
    } else {
      reactor->End(absl::OkStatus());
    }
    return reactor;
  }

  size_t held() {
    absl::MutexLock lock(&mutex_);
    return held_.size();
  }
  // Ends the calls that are held, with `status`.
  void EndAll(const absl::Status& status) {
    std::vector<Held*> held;
    {
      absl::MutexLock lock(&mutex_);
      held.swap(held_);
    }
    for (Held* one : held) one->End(status);
  }
  // Of the call that has been held for the longest.
  std::optional<Role> FirstRole() {
    absl::MutexLock lock(&mutex_);
    return held_.front()->call_.role();
  }
  std::string FirstPeer() {
    absl::MutexLock lock(&mutex_);
    return held_.front()->call_.peer();
  }
  // How often hooks were called.
  int asked() const { return asked_; }

 private:
  // Whoever takes it out of held_ ends it.
  class Held : public grpc::ServerUnaryReactor {
   public:
    Held(HeldCalls& owner, Call call) : owner_(owner), call_(std::move(call)) {}
    void Hold() {
      absl::MutexLock lock(&owner_.mutex_);
      owner_.held_.push_back(this);
    }
    void End(const absl::Status& status) { Finish(call_.End(status)); }
    void OnEndRequested(bool listen) {
      call_.OnEndRequested([this, listen, &owner = owner_](const absl::Status& why) {
        ++owner.asked_;
        if (!listen) return;
        boost::asio::post(owner.admission_.service().loop(), [this, &owner, why] {
          if (owner.Take(this)) End(why);
        });
      });
    }

   private:
    void OnCancel() override {
      if (owner_.Take(this)) End(absl::CancelledError("cancelled"));
    }
    void OnDone() override { delete this; }

    HeldCalls& owner_;
    friend class HeldCalls;
    Call call_;
  };

  // False when it has been ended: then it may be gone.
  bool Take(const Held* one) {
    absl::MutexLock lock(&mutex_);
    return std::erase(held_, one) > 0;
  }

  Admission& admission_;
  std::atomic<int> asked_{0};
  absl::Mutex mutex_;
  std::vector<Held*> held_ ABSL_GUARDED_BY(mutex_);
};

class AdmissionTest : public testing::Test {
 protected:
  AdmissionTest() {
    auto server = Server::Start(*net::Endpoint::Parse("tcp://127.0.0.1:0"), {&calls_});
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    stub_ = ControlService::NewStub(grpc::CreateChannel(
        GrpcAddress(*net::Endpoint::Parse(server_->uri())), grpc::InsecureChannelCredentials()));
  }
  ~AdmissionTest() override { server_->Shutdown(absl::Now()); }

  absl::Status Get(const std::string& name, const std::string& peer = "",
                   const std::string& role = "") {
    grpc::ClientContext context;
    if (!peer.empty()) context.AddMetadata(kPeerMetadataKey, peer);
    if (!role.empty()) context.AddMetadata(kRoleMetadataKey, role);
    GetServiceRequest request;
    request.set_service(name);
    GetServiceResponse response;
    return FromGrpc(stub_->GetService(&context, request, &response));
  }
  std::vector<net::ConnectionInfo> Rows(uint64_t after_id = 0, size_t limit = 1000) {
    std::vector<net::ConnectionInfo> rows;
    base_.admission.List(after_id, limit, &rows);
    return rows;
  }
  bool Holds(size_t count) {
    return Eventually([&] { return calls_.held() == count; });
  }
  bool HasRows(size_t count) {
    return Eventually([&] { return Rows().size() == count; });
  }

  // The service and its admission; its own gRPC server is not used here.
  ControlTestServer base_;
  HeldCalls calls_{base_.admission};
  std::unique_ptr<Server> server_;
  std::unique_ptr<ControlService::Stub> stub_;
};

// A call that a thread of its own makes.
class Client {
 public:
  Client(std::function<absl::Status()> call) : thread_([this, call] { status_ = call(); }) {}
  absl::Status Join() {
    thread_.join();
    return status_;
  }

 private:
  absl::Status status_;
  std::thread thread_;
};

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
