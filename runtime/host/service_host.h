// Runs one service process: its loop thread, its listeners, its RPC server, and the order in which
// they start and stop.
//
//   int main(int argc, char** argv) {
//     host::Process process(argc, argv, {...});
//     host::ServiceHost host(process);
//     EchoCore core(...);
//     EchoStreamSession stream(core);
//     EchoServicer servicer(core, host.admission());
//     host.AddStreamListeners("tcp", stream);
//     host.AddRpcService(servicer);
//     return host.Run();
//   }
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "absl/status/statusor.h"
#include "grpcpp/impl/service_type.h"
#include "runtime/host/listener_options.h"
#include "runtime/host/process.h"
#include "runtime/net/datagram_listener.h"
#include "runtime/net/service.h"
#include "runtime/net/stream_listener.h"
#include "runtime/rpc/admission.h"

namespace rawgate::host {

class ServiceHost {
 public:
  // `process` outlives this object.
  explicit ServiceHost(Process& process);
  ~ServiceHost();

  net::Service& service();
  rpc::Admission& admission();
  // One thread runs it, from Run() on.
  boost::asio::io_context& loop();

  // Gives every address of --listen that is named `role` to `handler`. Stream limits and the
  // rates of datagrams come from the flags, which Run() checks. Handlers and
  // servicers outlive Run(). Datagram listeners are returned, owned by this object, for those that
  // Send().
  void AddStreamListeners(const std::string& role, net::StreamHandler& handler);
  std::vector<net::DatagramListener*> AddDatagramListeners(
      const std::string& role, net::DatagramHandler& handler,
      const net::DatagramOptions& options = {});
  // The same with a handler for each address, owned by this object: `make` makes it from the
  // options that the address carries. What `make` refuses, and options that it does not ask for or
  // whose value is wrong, make Run() fail with a message that names the listener.
  using MakeStreamHandler =
      std::function<absl::StatusOr<std::unique_ptr<net::StreamHandler>>(ListenerOptions& options)>;
  void AddStreamListeners(const std::string& role, const MakeStreamHandler& make);
  using MakeDatagramHandler = std::function<absl::StatusOr<std::unique_ptr<net::DatagramHandler>>(
      ListenerOptions& options)>;
  std::vector<net::DatagramListener*> AddDatagramListeners(
      const std::string& role, const MakeDatagramHandler& make,
      const net::DatagramOptions& options = {});
  // Exec and file: off loopback their listeners serve only with --allow_insecure_bind; Run() fails
  // with a message that says so. (The internal RPC address is held to this in every service.)
  void RequireLoopbackUnlessAllowed();
  void AddRpcService(grpc::Service& servicer);

  // Starts everything, prints the ready line, serves until SIGINT or SIGTERM, drains and stops. The
  // value is main's.
  int Run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rawgate::host
