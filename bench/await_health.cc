// Waits until grpc.health.v1.Health says SERVING everywhere.
//
//   await_health TARGET=SERVICE...
//
// TARGET is a gRPC target, and SERVICE what is asked for there; empty for the whole process. Asks
// every millisecond, from before there is anybody to answer. Ends with 1 after 20 seconds.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <future>
#include <string>
#include <thread>

#include "grpc/health/v1/health.pb.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/impl/codegen/proto_utils.h"

namespace health = grpc::health::v1;
using Stub = grpc::TemplatedGenericStub<health::HealthCheckRequest, health::HealthCheckResponse>;
using Clock = std::chrono::system_clock;

namespace {

Stub Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  for (const char* wait : {GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS,
                           GRPC_ARG_MAX_RECONNECT_BACKOFF_MS})
    arguments.SetInt(wait, 1);
  return Stub(grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments));
}

bool Serves(Stub& stub, const std::string& service) {
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  request.set_service(service);
  health::HealthCheckResponse response;
  std::promise<bool> answered;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", {}, &request, &response,
                 [&](const grpc::Status& status) { answered.set_value(status.ok()); });
  return answered.get_future().get() && response.status() == health::HealthCheckResponse::SERVING;
}

}  // namespace

int main(int argc, char** argv) {
  const Clock::time_point end = Clock::now() + std::chrono::seconds(20);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t separator = argument.rfind('=');
    if (separator == std::string::npos) {
      std::fprintf(stderr, "usage: await_health TARGET=SERVICE...\n");
      return 2;
    }
    Stub stub = Connect(argument.substr(0, separator));
    while (!Serves(stub, argument.substr(separator + 1))) {
      if (Clock::now() > end) {
        std::fprintf(stderr, "await_health: %s does not serve\n", argv[i]);
        return 1;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return 0;
}
