// Commands on sockets: the three raw listeners of PROTOCOL.md over one core.
#pragma once

#include <functional>
#include <string>

#include "runtime/base/log.h"
#include "runtime/net/stream_listener.h"
#include "services/exec/exec_core.h"
#include "services/exec/exec_frame.h"
#include "services/exec/exec_peer.h"
#include "services/exec/exec_reply.h"

namespace rawgate::exec {

// While a command runs nothing more is read: a client that sends on is slowed down by TCP. Loop
// thread.
class ExecSession final : public net::StreamHandler {
 public:
  // Both outlive this object.
  ExecSession(ReplyForm form, ExecCore& core, PeerPolicy& peers)
      : form_(form), core_(core), peers_(peers) {}

  absl::Status Admit(net::Connection& connection) override;
  boost::asio::awaitable<net::Next> Serve(net::Connection& connection) override;

 private:
  // Runs what the decoder has complete, one after another. False: the connection is done.
  boost::asio::awaitable<bool> RunComplete(net::Connection& connection, RequestDecoder& decoder);
  boost::asio::awaitable<bool> RunAndReply(net::Connection& connection, std::string command);
  boost::asio::awaitable<bool> Reply(net::Connection& connection, const Job& job,
                                     const std::function<void()>& progressed);
  // Answers and closes.
  boost::asio::awaitable<void> Refuse(net::Connection& connection, absl::Status refusal);
  // For the log; a peer can cause these at will.
  void Warn(net::Connection& connection, absl::string_view what);

  const ReplyForm form_;
  ExecCore& core_;
  PeerPolicy& peers_;
  LogLimit warnings_;
};

}  // namespace rawgate::exec
