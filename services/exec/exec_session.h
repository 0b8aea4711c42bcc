// Commands without framing on sockets: the listeners raw, sized and header of PROTOCOL.md.
#pragma once

#include "services/exec/exec_command_session.h"

namespace rawgate::exec {

class RequestDecoder;

// Loop thread.
class ExecSession final : public CommandSession {
 public:
  // Both outlive this object.
  ExecSession(ReplyForm form, ExecCore& core, PeerPolicy& peers)
      : CommandSession(form, core, peers) {}

  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  // Runs what the decoder has complete, one after another. False: the connection is done.
  boost::asio::awaitable<bool> RunComplete(net::Connection& connection, RequestDecoder& decoder);
  boost::asio::awaitable<void> RefuseAndClose(net::Connection& connection, absl::Status refusal);
};

}  // namespace rawgate::exec
