// For tests: a service with listeners that only pretend, its loop thread, and a real gRPC server in
// front of it.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "gtest/gtest.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"
#include "runtime/base/status.h"
#include "runtime/net/service.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/control_servicer.h"
#include "runtime/rpc/server.h"

namespace rawgate::rpc {

// Polls `condition` until it holds; false after a while that only something broken takes.
inline bool Eventually(const std::function<bool()>& condition) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (!condition()) {
    if (absl::Now() > deadline) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// Accepts nothing, but has the rows and the answers that a test gives it. Loop thread, but for
// construction.
class FakeListener final : public net::Listener {
 public:
  FakeListener(std::string name, observe::EventLog& events)
      : Listener(std::move(name), *net::Endpoint::Parse("tcp://127.0.0.1:0"), events) {}

  absl::Status Start() override {
    if (!start_error.ok()) return start_error;
    bound_uri_ = "tcp://127.0.0.1:4711";
    return absl::OkStatus();
  }
  void Stop(std::function<void()> drained) override {
    bound_uri_.clear();
    drained_ = std::move(drained);
    if (rows.empty()) CloseAll();
  }
  void CloseAll() override {
    rows.clear();
    if (drained_) std::exchange(drained_, nullptr)();
  }
  void List(uint64_t after_id, size_t limit, std::vector<net::ConnectionInfo>* out) override {
    for (const net::ConnectionInfo& row : rows) {
      if (row.id > after_id && out->size() < limit) out->push_back(row);
    }
  }
  bool CloseConnection(uint64_t id) override {
    return std::erase_if(rows, [id](const net::ConnectionInfo& row) { return row.id == id; }) > 0;
  }

  // Adds a connection and returns its id.
  uint64_t Connect() {
    const uint64_t id = net::NextConnectionId();
    rows.push_back(
        {.id = id, .listener = name(), .peer = "tcp://127.0.0.1:1", .open_time = absl::Now()});
    return id;
  }

  absl::Status start_error;
  std::vector<net::ConnectionInfo> rows;

 private:
  void ApplyFaults() override {}

  std::function<void()> drained_;
};

// A loop with one thread that runs it.
class LoopThread {
 public:
  ~LoopThread() { Stop(); }

  boost::asio::io_context& loop() { return loop_; }
  // Runs `step` on the loop thread and waits for it.
  void Run(const std::function<void()>& step) {
    absl::Notification done;
    boost::asio::post(loop_, [&] {
      step();
      done.Notify();
    });
    done.WaitForNotification();
  }
  // Ends the loop. What is bound to it may be destroyed afterwards.
  void Stop() {
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
  }

 private:
  boost::asio::io_context loop_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  std::thread thread_{[this] { loop_.run(); }};
};

// Service "fake", running, with the listeners "tcp" and "sized".
class ControlTestServer {
 public:
  explicit ControlTestServer(size_t events_kept = 8192)
      : events(events_kept), service(loop_thread.loop(), "fake", events), admission(service) {
    auto first = std::make_unique<FakeListener>("tcp", events);
    auto second = std::make_unique<FakeListener>("sized", events);
    tcp = first.get();
    sized = second.get();
    service.Add(std::move(first));
    service.Add(std::move(second));
    service.Add(admission);
    EXPECT_TRUE(Start().ok());
    control = std::make_unique<ControlServicer>(service, admission);
  }
  ~ControlTestServer() {
    control->EndWatches();
    if (server) server->Shutdown(absl::Now() + absl::Seconds(5));
    server.reset();
    // What is posted to it uses the service: at the least what ControlServicer has it describe
    // first.
    loop_thread.Stop();
  }

  // Serves ControlService and `more` on a port of the kernel's choice.
  void Serve(std::vector<grpc::Service*> more = {}) {
    more.push_back(control.get());
    auto started = Server::Start(*net::Endpoint::Parse("tcp://127.0.0.1:0"), more);
    ASSERT_TRUE(started.ok()) << started.status();
    server = *std::move(started);
    channel = NewChannel();
    stub = control::v1::ControlService::NewStub(channel);
  }
  std::shared_ptr<grpc::Channel> NewChannel() {
    const std::string address = GrpcAddress(*net::Endpoint::Parse(server->uri()));
    return grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  }

  absl::Status Start() {
    return Await([this](net::Service::Done done) { service.Start("", std::move(done)); });
  }
  absl::Status Stop(absl::Duration grace) {
    return Await(
        [this, grace](net::Service::Done done) { service.Stop("", grace, std::move(done)); });
  }

  observe::EventLog events;
  LoopThread loop_thread;
  net::Service service;
  Admission admission;
  // Touch on the loop thread only.
  FakeListener* tcp = nullptr;
  FakeListener* sized = nullptr;
  std::unique_ptr<ControlServicer> control;
  std::unique_ptr<Server> server;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<control::v1::ControlService::Stub> stub;

 private:
  static absl::Status Await(const std::function<void(net::Service::Done)>& begin) {
    absl::Status result;
    absl::Notification done;
    begin([&](absl::Status status) {
      result = std::move(status);
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }
};

}  // namespace rawgate::rpc
