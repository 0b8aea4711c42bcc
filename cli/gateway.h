// The connection to the gateway, and unary calls over it.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/interrupt.h"
#include "cli/security.h"
#include "grpcpp/grpcpp.h"
#include "runtime/rpc/status.h"

namespace rawgate::cli {

inline constexpr char kDefaultGateway[] = "127.0.0.1:50051";

// How long a unary call may take that has no wait of its own in it.
inline constexpr absl::Duration kCallDeadline = absl::Seconds(30);

// How long connecting may take.
inline constexpr absl::Duration kConnectDeadline = absl::Seconds(3);

// What gRPC takes, with the port that is used where none is said. `target` as people write it: see
// Gateway.
std::string GrpcTarget(absl::string_view target);

class Gateway {
 public:
  // `target` as people write it: HOST, HOST:PORT, tcp://HOST:PORT, unix:///PATH or any other gRPC
  // target. Nothing is connected yet.
  Gateway(absl::string_view target, Security security);

  // What is connected to, as gRPC reads it.
  const std::string& target() const { return target_; }

  // Returns when the connection stands. Errors: UNAVAILABLE (GATEWAY_UNREACHABLE, NOT_TLS,
  // CERTIFICATE_UNTRUSTED, CERTIFICATE_OF_ANOTHER), as soon as every address of the target has
  // refused, and at the latest after `within`; FAILED_PRECONDITION (TOKEN_IN_THE_CLEAR).
  absl::Status Connect(absl::Duration within = kConnectDeadline);

  // Another connection to the same, which shares nothing with the first; it is made when it is
  // used. Connect() has succeeded.
  std::shared_ptr<grpc::Channel> OpenAnother() const;

  // For calls that have no stub.
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  template <typename Service>
  std::unique_ptr<typename Service::Stub> Stub() const {
    return Service::NewStub(channel_);
  }

 private:
  const std::string target_;
  const Security security_;
  const std::shared_ptr<grpc::Channel> channel_;
};

// One unary call: Call(*stub, &EchoService::Stub::Echo, request). The error carries the reason that
// the server gave.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(Stub& stub,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request, absl::Duration deadline = kCallDeadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpc(status);
  return response;
}

// As Call(), for one that may take long (the far side reads a whole file): it has no deadline, and
// ends with CANCELLED when `interrupt` is delivered. That the gateway is there is watched
// meanwhile.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> LongCall(Stub& stub,
                                  grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                               Response*),
                                  const Request& request, Interrupt& interrupt) {
  grpc::ClientContext context;
  const Interrupt::Scope cancelled(interrupt, [&context] { context.TryCancel(); });
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return rpc::FromGrpc(status);
  return response;
}

}  // namespace rawgate::cli
