// A service that admits calls and holds them, and clients of it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/post.hpp>

#include "gtest/gtest.h"
#include "runtime/rpc/admission.h"
#include "runtime/rpc/control_test_server.h"
#include "runtime/rpc/status.h"

namespace rawgate::rpc {

using control::v1::ControlService;
using control::v1::GetServiceRequest;
using control::v1::GetServiceResponse;

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

}  // namespace rawgate::rpc
