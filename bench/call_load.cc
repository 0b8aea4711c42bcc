// EchoService.Echo, one call after a pause, on each of some connections in turn, every answer
// compared: the first call after idle, and whether calls are answered at all.
//
//   call_load TARGET CALLS PAUSE_MS
//
// TARGET is a gRPC target: a gateway or another proxy, or an echo service itself. Prints one JSON
// line: median and 99th percentile in microseconds.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/latencies.h"
#include "bench/sockets.h"
#include "grpcpp/grpcpp.h"
#include "rawgate/echo/v1/echo_service.grpc.pb.h"

using namespace rawgate::bench;  // NOLINT: a program of one file
namespace v1 = rawgate::echo::v1;

namespace {

constexpr size_t kConnections = 10;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "call_load: %s\n", what);
  std::exit(1);
}

std::unique_ptr<v1::EchoService::Stub> Connect(const std::string& target) {
  grpc::ChannelArguments arguments;
  // A connection of its own.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel =
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
  if (!channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10)))
    Fail("no connection");
  return v1::EchoService::NewStub(channel);
}

void Call(v1::EchoService::Stub& stub) {
  grpc::ClientContext context;
  v1::EchoRequest request;
  request.set_payload(std::string(64, 'a'));
  v1::EchoResponse response;
  const grpc::Status status = stub.Echo(&context, request, &response);
  if (!status.ok()) Fail(status.error_message().c_str());
  if (response.payload() != std::string(64, 'A')) Fail("another answer");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: call_load TARGET CALLS PAUSE_MS\n");
    return 2;
  }
  const uint64_t calls = ParseNumber(argv[2]);
  const std::chrono::milliseconds pause(ParseNumber(argv[3]));
  std::vector<std::unique_ptr<v1::EchoService::Stub>> stubs;
  for (size_t i = 0; i < kConnections; ++i) {
    stubs.push_back(Connect(argv[1]));
    // The first of all is another matter.
    Call(*stubs.back());
  }
  Latencies latencies;
  for (uint64_t i = 0; i < calls; ++i) {
    std::this_thread::sleep_for(pause);
    const Clock::time_point begin = Clock::now();
    Call(*stubs[i % kConnections]);
    latencies.Add(Clock::now() - begin);
  }
  std::printf("{\"p50_us\": %.2f, \"p99_us\": %.2f}\n", latencies.Quantile(0.5),
              latencies.Quantile(0.99));
  return 0;
}
