#include "gateway/backend_channel.h"

#include <climits>
#include <utility>

#include <boost/json.hpp>

#include "absl/strings/str_cat.h"
#include "gateway/route.h"
#include "grpc/grpc.h"
#include "grpcpp/create_channel.h"
#include "runtime/rpc/server.h"

namespace rawgate::gateway {
namespace {

using boost::json::array;
using boost::json::object;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

// "0.02s", as google.protobuf.Duration is written in JSON.
std::string Seconds(int milliseconds) { return absl::StrCat(milliseconds / 1000.0, "s"); }

object RetryPolicy() {
  return {{"maxAttempts", kAttemptsMax},
          {"initialBackoff", Seconds(kRetryBackoffMs)},
          {"maxBackoff", Seconds(kRetryBackoffMs << (kAttemptsMax - 2))},
          {"backoffMultiplier", 2},
          {"retryableStatusCodes", array{"UNAVAILABLE"}}};
}

// The names of those methods of backend `name` that are tried again.
array RetriedMethods(const std::string& name) {
  array methods;
  for (const ServiceDescriptor* service : ForwardedServices()) {
    if (BackendOf(*service) != name) continue;
    for (int i = 0; i < service->method_count(); ++i) {
      const MethodDescriptor& method = *service->method(i);
      if (!IsUnary(method) || !IsIdempotent(method)) continue;
      methods.push_back(object{{"service", service->full_name()}, {"method", method.name()}});
    }
  }
  return methods;
}

}  // namespace

std::string BackendServiceConfig(const std::string& name) {
  object config;
  config["loadBalancingConfig"] = array{object{{"round_robin", object()}}};
  config["healthCheckConfig"] = object{{"serviceName", ""}};
  if (array retried = RetriedMethods(name); !retried.empty()) {
    config["methodConfig"] =
        array{object{{"name", std::move(retried)}, {"retryPolicy", RetryPolicy()}}};
  }
  return boost::json::serialize(config);
}

grpc::ChannelArguments BackendChannelArguments() {
  grpc::ChannelArguments arguments;
  // A service that comes back is found within a second.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Also how long one attempt may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  // A restarted container has another address.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1'000);
  // The environment's http_proxy is for the way out, not for our own services.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Finds out about a machine that went without a word. Servers of ours welcome one ping every 20
  // s.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetMaxReceiveMessageSize(rpc::kMessageBytesMax);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, rpc::kLookaheadBytes);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, rpc::kBackendMetadataBytesMax);
  // Services of ours compress nothing; without its filters each message takes a shorter way.
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  return arguments;
}

std::vector<LaneChannels> OpenBackendChannels(
    const std::string& name, const std::string& target,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments = BackendChannelArguments();
  arguments.SetServiceConfigJSON(BackendServiceConfig(name));
  // Of a message that is to be sent again; gRPC gives up on larger ones.
  arguments.SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, rpc::kMessageBytesMax);
  // What a name server says of service configs is not for us.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // The first call after a quiet hour is no slower than others.
  arguments.SetInt(GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX);
  const auto open = [&](int lane, bool retries) {
    // A copy: of a setting that is made twice the first one counts.
    grpc::ChannelArguments own = arguments;
    // Channels whose arguments are the same share connections.
    own.SetInt("rawgate.lane", lane);
    own.SetInt(GRPC_ARG_ENABLE_RETRIES, retries ? 1 : 0);
    auto channel = grpc::CreateCustomChannel(target, credentials, own);
    channel->GetState(/*try_to_connect=*/true);
    return channel;
  };
  std::vector<LaneChannels> lanes;
  for (int i = 0; i < kLanesPerBackend; ++i) {
    lanes.push_back({.unary = open(i, true), .streams = open(i, false)});
  }
  return lanes;
}

}  // namespace rawgate::gateway
