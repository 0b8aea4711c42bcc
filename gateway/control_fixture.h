// For tests of control at the gateway: service processes that do as a test says, and the whole
// gateway before them.
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gateway/gateway_server.h"
#include "gateway/test_backend.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/rpc/status.h"

namespace rawgate::gateway {

// One service's ControlService.
class TestControl final : public control::v1::ControlService::Service {
 public:
  explicit TestControl(std::string name, std::string instance = "")
      : name_(std::move(name)), instance_(std::move(instance)) {}

  // A snapshot that says RUNNING, then nothing, until it is cancelled or the test says `draining`.
  grpc::Status WatchServices(
      grpc::ServerContext* context, const control::v1::WatchServicesRequest*,
      grpc::ServerWriter<control::v1::WatchServicesResponse>* writer) override {
    ++watches;
    if (draining) return rpc::ToGrpc(DrainingError());
    control::v1::WatchServicesResponse snapshot;
    Describe(snapshot.add_services());
    writer->Write(snapshot);
    while (again > 0) {
      --again;
      writer->Write(snapshot);
    }
    while (!context->IsCancelled() && !draining) absl::SleepFor(absl::Milliseconds(1));
    return rpc::ToGrpc(DrainingError());
  }

  grpc::Status GetService(grpc::ServerContext* context, const control::v1::GetServiceRequest*,
                          control::v1::GetServiceResponse* response) override {
    last_call_.Take(*context);
    Describe(response->mutable_service());
    return grpc::Status::OK;
  }

  grpc::Status StartService(grpc::ServerContext* context,
                            const control::v1::StartServiceRequest* request,
                            control::v1::StartServiceResponse* response) override {
    last_call_.Take(*context);
    ++starts;
    if (request->listener() == "nosuch") {
      return rpc::ToGrpc(Error(absl::StatusCode::kNotFound, "LISTENER_NOT_FOUND", "none"));
    }
    if (request->listener() == "going") return rpc::ToGrpc(DrainingError());
    Describe(response->mutable_service());
    context->AddInitialMetadata("answered-by", name_);
    context->AddTrailingMetadata("cost-bin", std::string("\x00\xff", 2));
    return grpc::Status::OK;
  }

  // Takes until `stopped`, or until it is cancelled.
  grpc::Status StopService(grpc::ServerContext* context, const control::v1::StopServiceRequest*,
                           control::v1::StopServiceResponse* response) override {
    last_call_.Take(*context);
    ++stops;
    while (!stopped && !context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    Describe(response->mutable_service());
    return grpc::Status::OK;
  }

  grpc::Status SetFaults(grpc::ServerContext* context, const control::v1::SetFaultsRequest* request,
                         control::v1::SetFaultsResponse* response) override {
    last_call_.Take(*context);
    faults_seed = request->faults().seed();
    Describe(response->mutable_service());
    return grpc::Status::OK;
  }

  // `connections` rows, whose ids count from 1; never answers while `frozen`.
  grpc::Status ListConnections(grpc::ServerContext* context,
                               const control::v1::ListConnectionsRequest* request,
                               control::v1::ListConnectionsResponse* response) override {
    last_call_.Take(*context);
    while (frozen && !context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    int id = request->page_token().empty() ? 0 : std::stoi(request->page_token());
    while (id < connections && response->connections_size() < request->page_size()) {
      control::v1::Connection& row = *response->add_connections();
      row.set_service(name_);
      row.set_instance(instance_);
      row.set_id(static_cast<uint64_t>(++id));
    }
    if (id < connections) response->set_next_page_token(std::to_string(id));
    return grpc::Status::OK;
  }

  grpc::Status CloseConnection(grpc::ServerContext*,
                               const control::v1::CloseConnectionRequest* request,
                               control::v1::CloseConnectionResponse*) override {
    closed = request->connection_id();
    return grpc::Status::OK;
  }

  // Ends with what `feed_ends` has next; without that it tells its position and follows: tells the
  // events after the one that the request resumes after, up to `events`.
  grpc::Status WatchEvents(grpc::ServerContext* context,
                           const control::v1::WatchEventsRequest* request,
                           grpc::ServerWriter<control::v1::WatchEventsResponse>* writer) override {
    last_call_.Take(*context);
    if (!request->after().empty()) last_resumed_.Take(*context);
    ++feeds;
    {
      absl::MutexLock lock(&mutex_);
      if (!feed_ends_.empty()) {
        const absl::Status end = feed_ends_.front();
        feed_ends_.pop_front();
        return rpc::ToGrpc(end);
      }
    }
    uint64_t told = request->after().empty() ? events.load() : request->after(0).sequence();
    control::v1::WatchEventsResponse message;
    Tell(events, *message.add_positions());
    writer->Write(message);
    ++open_feeds;
    while (!context->IsCancelled()) {
      absl::SleepFor(absl::Milliseconds(1));
      message.Clear();
      while (told < events && message.events_size() < kBatchMax)
        Tell(++told, *message.add_events());
      if (!message.events().empty()) writer->Write(message);
    }
    --open_feeds;
    return grpc::Status::OK;
  }
  static constexpr int kBatchMax = 10'000;
  void EndNextFeedWith(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    feed_ends_.push_back(status);
  }

  // Of the last call but watches of services.
  std::multimap<std::string, std::string> metadata() { return last_call_.metadata(); }
  // Of the last watch of events that resumed.
  std::multimap<std::string, std::string> resumed_metadata() { return last_resumed_.metadata(); }
  absl::Duration time_left() { return last_call_.time_left(); }

  std::atomic<int> watches = 0;
  // Watches of events, ended ones included.
  std::atomic<int> feeds = 0;
  std::atomic<int> open_feeds = 0;
  std::atomic<int> starts = 0;
  std::atomic<int> stops = 0;
  std::atomic<uint64_t> faults_seed = 0;
  std::atomic<int> connections = 1;
  std::atomic<uint64_t> closed = 0;
  std::atomic<uint64_t> events = 0;
  // Snapshots that a watch repeats.
  std::atomic<int> again = 0;
  std::atomic<bool> draining = false;
  std::atomic<bool> stopped = false;
  std::atomic<bool> frozen = false;

 private:
  void Describe(control::v1::Service* service) {
    service->set_name(name_);
    service->set_instance(instance_);
    service->set_state(stopped ? control::v1::SERVICE_STATE_STOPPED
                               : control::v1::SERVICE_STATE_RUNNING);
  }
  // An event, or a position.
  template <typename Told>
  void Tell(uint64_t sequence, Told& told) {
    told.set_service(name_);
    told.set_instance(instance_);
    told.set_sequence(sequence);
  }

  const std::string name_;
  const std::string instance_;
  CallRecord last_call_;
  CallRecord last_resumed_;
  absl::Mutex mutex_;
  std::deque<absl::Status> feed_ends_ ABSL_GUARDED_BY(mutex_);
};

// Two services, "echo" and "time", and a client of the gateway, which has met both.
class ControlTest : public ::testing::Test {
 protected:
  ControlTest() {
    EXPECT_TRUE(gateway_ != nullptr);
    for (const char* name : {"echo", "time"}) EXPECT_TRUE(Eventually([&] { return Met(name); }));
  }
  ~ControlTest() override {
    if (gateway_ != nullptr) gateway_->Stop(absl::ZeroDuration());
  }

  static std::string Reason(const grpc::Status& status) { return ReasonOf(rpc::FromGrpc(status)); }

  std::unique_ptr<GatewayServer> StartGateway() {
    auto gateway = GatewayServer::Start(
        {.addresses = {*net::Endpoint::Parse("tcp://127.0.0.1:0")},
         .backends = {{"echo", echo_server_.address()}, {"time", time_server_.address()}}});
    return gateway.ok() ? *std::move(gateway) : nullptr;
  }
  static std::unique_ptr<control::v1::ControlService::Stub> StubOf(const GatewayServer& gateway) {
    return control::v1::ControlService::NewStub(
        TestChannel(std::string(gateway.uris().at(0).substr(std::string("tcp://").size()))));
  }

  grpc::Status GetService(const std::string& name, control::v1::GetServiceResponse* response) {
    grpc::ClientContext context;
    control::v1::GetServiceRequest request;
    request.set_service(name);
    return stub_->GetService(&context, request, response);
  }
  bool Met(const std::string& name) {
    control::v1::GetServiceResponse response;
    return GetService(name, &response).ok() &&
           response.service().state() == control::v1::SERVICE_STATE_RUNNING;
  }

  TestControl echo_{"echo"};
  TestControl time_{"time"};
  TestServer echo_server_{{&echo_}};
  TestServer time_server_{{&time_}};
  std::unique_ptr<GatewayServer> gateway_ = StartGateway();
  std::unique_ptr<control::v1::ControlService::Stub> stub_ = StubOf(*gateway_);
};

}  // namespace rawgate::gateway
