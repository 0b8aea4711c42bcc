// A service process without the process, for tests of servicers and of what lies behind them: loop
// thread, service, admission and a real gRPC server on a port of the kernel's choice. Only for
// tests that link rawgate_rpc.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "grpcpp/create_channel.h"
#include "runtime/net/service.h"
#include "runtime/observe/event_log.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/server.h"
#include "runtime/testing/loop_thread.h"

namespace rawgate::testing {

class ServiceFixture {
 public:
  explicit ServiceFixture(std::string name)
      : service_(loop_thread_.loop(), std::move(name), events_), admission_(service_) {
    service_.Add(admission_);
  }
  ~ServiceFixture() { Shutdown(); }

  boost::asio::io_context& loop() { return loop_thread_.loop(); }
  LoopThread& loop_thread() { return loop_thread_; }
  observe::EventLog& events() { return events_; }
  net::Service& service() { return service_; }
  rpc::Admission& admission() { return admission_; }

  // Starts the service, with the listeners that it was given, and serves `servicer`, which outlives
  // Shutdown(). Throws on failure.
  void Serve(grpc::Service& servicer) {
    if (const absl::Status started = Start(); !started.ok())
      throw std::runtime_error(started.ToString());
    server_ =
        rpc::Server::Start(net::Endpoint::Parse("tcp://127.0.0.1:0").value(), {&servicer}).value();
    channel_ = grpc::CreateChannel(rpc::GrpcAddress(net::Endpoint::Parse(server_->uri()).value()),
                                   grpc::InsecureChannelCredentials());
  }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  absl::Status Start() {
    return Await([this](net::Service::Done done) { service_.Start("", std::move(done)); });
  }
  absl::Status Stop(absl::Duration grace = absl::Seconds(30)) {
    return Await([&](net::Service::Done done) { service_.Stop("", grace, std::move(done)); });
  }

  // Ends the RPC server, then the loop. What they used may be destroyed afterwards.
  void Shutdown() {
    if (server_) server_->Shutdown(absl::Now() + absl::Seconds(10));
    server_.reset();
    loop_thread_.Stop();
  }

 private:
  template <typename Begin>
  static absl::Status Await(Begin begin) {
    auto result = std::make_shared<std::promise<absl::Status>>();
    begin([result](const absl::Status& status) { result->set_value(status); });
    return result->get_future().get();
  }

  LoopThread loop_thread_;
  observe::EventLog events_;
  net::Service service_;
  rpc::Admission admission_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace rawgate::testing
