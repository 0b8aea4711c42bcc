// Framed commands on sockets: the listener framed of PROTOCOL.md.
#pragma once

#include <cstdint>
#include <string>

#include "services/exec/exec_command_session.h"

namespace rawgate::exec {

// Loop thread.
class ExecFramedSession final : public CommandSession {
 public:
  // Both outlive this object.
  ExecFramedSession(ExecCore& core, PeerPolicy& peers)
      : CommandSession(ReplyForm::kHeader, core, peers) {}

  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  // All connections together; also what is only announced counts.
  static constexpr uint64_t kReceivingMax = 256 << 20;

  boost::asio::awaitable<absl::StatusOr<std::string>> ReceiveInput(net::Connection& connection,
                                                                   std::string& ahead, size_t size);
  // One request whose JSON is `header`; its input comes out of `ahead` and the connection. An
  // error: the connection is out of step.
  boost::asio::awaitable<absl::Status> Handle(net::Connection& connection, std::string header,
                                              std::string& ahead);

  // Bytes of standard input that are being received.
  uint64_t receiving_ = 0;
};

}  // namespace rawgate::exec
