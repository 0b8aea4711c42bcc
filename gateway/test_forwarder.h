// For tests: a front door with nothing but the forwarder behind it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/call_shares.h"
#include "gateway/client_acceptor.h"
#include "gateway/forwarder.h"
#include "gateway/reflection.h"
#include "gateway/test_backend.h"
#include "gateway/upstream_set.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"
#include "gtest/gtest.h"
#include "runtime/net/endpoint.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {

// A backend whose replicas are at `addresses`: gRPC targets of one each.
inline std::shared_ptr<UpstreamSet> TestUpstreams(const std::string& name,
                                                  std::vector<std::string> addresses) {
  auto set = std::make_shared<UpstreamSet>(name, "", nullptr);
  set->SetAddresses(std::move(addresses));
  return set;
}

// The forwarder behind an address of its own, as in the gateway. Of the gateway's own services
// there is reflection alone.
class TestForwarder {
 public:
  struct Door {
    const AccessStore* access = nullptr;
    std::shared_ptr<net::TlsContext> tls = nullptr;
    ClientLimits limits = {};
  };

  // Names of backends, and where each is: "127.0.0.1:4711".
  TestForwarder(const std::vector<std::pair<std::string, std::string>>& backends,
                ForwarderOptions options = {})
      : TestForwarder(Single(backends), options, {}) {}
  TestForwarder(const std::vector<std::shared_ptr<UpstreamSet>>& backends, ForwarderOptions options,
                const Door& door)
      : books_(options.lanes, spdlog::level::debug),
        gate_(door.access),
        forwarder_(backends, options, door.limits, door.tls, drain_, books_, gate_,
                   acceptor_.connections()) {
    grpc::ServerBuilder builder;
    rpc::ConfigureServer(builder, rpc::kBuffersMax);
    for (const auto& servicer : own_) builder.RegisterService(servicer.get());
    server_ = builder.BuildAndStart();
    EXPECT_TRUE(server_ != nullptr);
    forwarder_.Start(
        [this](Fd fd) { grpc::AddInsecureChannelFromFd(server_.get(), fd.Release()); });
    EXPECT_TRUE(acceptor_.Listen("grpc", *net::Endpoint::Parse("tcp://127.0.0.1:0")).ok());
    const absl::Status accepting = acceptor_.Start([this](Fd fd, const ClientConnection& client) {
      forwarder_.Adopt(
          std::move(fd),
          {.id = client.id, .peer = client.peer, .source = SourceHolderOf(client.peer)},
          client.traffic);
    });
    EXPECT_TRUE(accepting.ok()) << accepting;
  }
  ~TestForwarder() { Stop(); }

  void Stop() {
    if (server_ == nullptr) return;
    acceptor_.Stop();
    forwarder_.EndAll();
    server_->Shutdown(std::chrono::system_clock::now());
    forwarder_.Stop(absl::Seconds(1));
    server_.reset();
  }

  Drain& drain() { return drain_; }
  CallBooks& books() { return books_; }
  Forwarder& forwarder() { return forwarder_; }
  ClientConnections& connections() { return acceptor_.connections(); }
  int port() const { return net::Endpoint::Parse(acceptor_.uris().at(0))->port(); }
  std::string address() const { return absl::StrCat("127.0.0.1:", port()); }
  std::shared_ptr<grpc::Channel> Channel() const { return TestChannel(address()); }

 private:
  static std::vector<std::shared_ptr<UpstreamSet>> Single(
      const std::vector<std::pair<std::string, std::string>>& backends) {
    std::vector<std::shared_ptr<UpstreamSet>> sets;
    for (const auto& [name, address] : backends)
      sets.push_back(TestUpstreams(name, {absl::StrCat("ipv4:", address)}));
    return sets;
  }

  Drain drain_;
  CallBooks books_;
  const AccessGate gate_;
  ClientAcceptor acceptor_{ClientAcceptor::Limits()};
  const std::vector<std::unique_ptr<grpc::Service>> own_ = MakeReflectionServicers();
  Forwarder forwarder_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace rawgate::gateway
