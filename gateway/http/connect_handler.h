// The Connect protocol (https://connectrpc.com/docs/protocol) over HTTP/1.1, for every method that
// the gateway serves by gRPC: JSON and binary, unary calls by POST and, where nothing is changed,
// GET; streams, whose requests come as one body. Calls go through the forwarder, so that who may do
// what, where calls go, limits and the drain are decided there alone.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "gateway/http/connect_call.h"
#include "google/protobuf/descriptor.h"
#include "grpcpp/channel.h"
#include "runtime/http/exchange.h"

namespace rawgate::gateway {

// Thread-safe.
class ConnectHandler {
 public:
  // Asked before a request is looked into whether its method may be called. The forwarder
  // decides that again; this spares the work for those whom it will refuse.
  using Admit = std::function<absl::Status(const http::Request& request, absl::string_view path)>;
  // `channel` leads to the forwarder: GatewayServer::ChannelWithin().
  ConnectHandler(const std::vector<const google::protobuf::ServiceDescriptor*>& services,
                 std::shared_ptr<grpc::Channel> channel, Admit admit);

  // For every path that nothing else answers.
  void Handle(std::shared_ptr<http::Exchange> exchange) const;

 private:
  absl::flat_hash_map<std::string, ConnectMethod> methods_;
  ConnectStub stub_;
  Admit admit_;
};

}  // namespace rawgate::gateway
