// The time through the gateway, and how far our clock is from the service's.
//
// Usage: time_grpc [HOST:PORT]
#include <chrono>
#include <exception>
#include <iomanip>
#include <iostream>
#include <limits>

#include "gateway.h"
#include "rawgate/time/v1/time_service.grpc.pb.h"

using rawgate::time::v1::TimeService;

constexpr int kSamples = 8;

double Now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double Seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() / 1e9;
}

int main(int argc, char** argv) try {
  const auto stub = TimeService::NewStub(Connect(argc, argv, 1));
  rawgate::time::v1::GetTimeRequest request;
  request.set_format("%Y-%m-%d %H:%M:%S");
  rawgate::time::v1::GetTimeResponse response;
  double best_delay = std::numeric_limits<double>::infinity();
  double best_offset = 0;
  for (int i = 0; i < kSamples; ++i) {
    // One exchange, measured as NTP does (RFC 5905 section 8).
    const double sent = Now();
    response = Call(*stub, &TimeService::Stub::GetTime, request);
    const double received = Now();
    const double from = Seconds(response.server_receive_time());
    const double until = Seconds(response.server_send_time());
    const double delay = (received - sent) - (until - from);
    // The one that was under way for the shortest time has the least room for error: half its
    // delay.
    if (delay < best_delay) {
      best_delay = delay;
      best_offset = ((from - sent) + (until - received)) / 2;
    }
  }
  std::cout << "time: " << response.formatted() << "\n";
  std::cout << std::fixed << std::setprecision(3) << "offset: " << best_offset * 1e3
            << " ms, give or take " << best_delay * 1e3 / 2 << " ms\n";
} catch (const std::exception& error) {
  std::cerr << "time_grpc: " << error.what() << "\n";
  return 1;
}
