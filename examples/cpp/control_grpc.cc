// Lists the services, then follows what happens in them: connections, requests, every read with its
// size. Until Ctrl-C.
//
// Usage: control_grpc [HOST:PORT]
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "gateway.h"
#include "printable.h"
#include "rawgate/control/v1/control_service.grpc.pb.h"

namespace rpc = rawgate::control::v1;
using Control = rpc::ControlService::Stub;

std::string Describe(const rpc::Event& event) {
  // What one recv() of the service returned: send "hello" and "world", and see one chunk or two.
  if (event.has_chunk_received()) {
    const auto& chunk = event.chunk_received();
    return "chunk of " + std::to_string(chunk.size()) + " bytes: " + Printable(chunk.sample());
  }
  if (event.has_request_served()) return "served " + event.request_served().summary();
  if (event.kind_case() == rpc::Event::KIND_NOT_SET) return "something newer than this program";
  return rpc::Event::descriptor()->FindFieldByNumber(event.kind_case())->name();
}

int main(int argc, char** argv) try {
  const auto control = rpc::ControlService::NewStub(Connect(argc, argv, 1));
  const auto list = Call(*control, &Control::ListServices, {});
  for (const auto& service : list.services()) {
    std::cout << service.name() << " " << rpc::ServiceState_Name(service.state()) << "\n";
    for (const auto& listener : service.listeners()) {
      std::cout << "   " << listener.name() << " " << listener.bound_address() << "\n";
    }
  }
  rpc::WatchEventsRequest request;
  request.set_include_chunks(true);
  request.set_sample_bytes(32);
  grpc::ClientContext context;  // no deadline: this call is meant to last
  const auto watch = control->WatchEvents(&context, request);
  for (rpc::WatchEventsResponse batch; watch->Read(&batch);) {
    if (batch.positions_size() > 0)
      std::cout << "watching\n";  // told first: nothing is missed from now on
    for (const auto& event : batch.events()) {
      std::cout << event.service() << "/" << event.listener() << " #" << event.connection_id()
                << ": " << Describe(event) << "\n";
    }
    std::cout << std::flush;
  }
  Check(watch->Finish());
  throw std::runtime_error("the watch has ended");
} catch (const std::exception& error) {
  std::cerr << "control_grpc: " << error.what() << "\n";
  return 1;
}
