// What every gRPC client in C++ needs besides its stub.
#pragma once

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include <grpcpp/grpcpp.h>

// Without TLS, which is for this machine only. Nothing is connected before the first call.
inline std::shared_ptr<grpc::Channel> Connect(int argc, char** argv, int position) {
  return grpc::CreateChannel(argc > position ? argv[position] : "127.0.0.1:50051",
                             grpc::InsecureChannelCredentials());
}

// One for each call, which without a deadline might wait for ever.
struct Within : grpc::ClientContext {
  explicit Within(int seconds) {
    set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
  }
};

inline void Check(const grpc::Status& status) {
  if (!status.ok())
    throw std::runtime_error(std::to_string(status.error_code()) + ": " + status.error_message());
}

// A unary call.
template <typename Stub, typename Request, typename Response>
Response Call(Stub& stub,
              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
              const Request& request, int seconds = 10) {
  Within context(seconds);
  Response response;
  Check((stub.*method)(&context, request, &response));
  return response;
}
