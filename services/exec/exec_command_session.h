// What all listeners have in common: who is served, and how one command is run and answered.
#pragma once

#include <functional>

#include "absl/strings/string_view.h"
#include "runtime/base/log.h"
#include "runtime/net/stream_listener.h"
#include "services/exec/exec_core.h"
#include "services/exec/exec_peer.h"
#include "services/exec/exec_reply.h"

namespace rawgate::exec {

// Loop thread.
class CommandSession : public net::StreamHandler {
 public:
  absl::Status Admit(net::Connection& connection) final;

 protected:
  // Both outlive this object.
  CommandSession(ReplyForm form, ExecCore& core, PeerPolicy& peers)
      : form_(form), core_(core), peers_(peers) {}

  // Runs a command and answers, unless the connection closes, which ends the command. While it runs
  // nothing is read: a client that sends on is slowed down by TCP. Errors: those of
  // ExecCore::Start(), and nothing has been answered.
  boost::asio::awaitable<absl::Status> Run(net::Connection& connection, CommandSpec spec);
  // Answers a request that was refused.
  boost::asio::awaitable<void> AnswerRefusal(net::Connection& connection, absl::Status refusal);
  // And closes, since nothing can follow.
  boost::asio::awaitable<void> Refuse(net::Connection& connection, absl::Status refusal,
                                      net::CloseReason reason);
  // For the log; a peer can cause these at will.
  void Warn(net::Connection& connection, absl::string_view what);

 private:
  boost::asio::awaitable<void> Reply(net::Connection& connection, const Job& job,
                                     const std::function<void()>& progressed);

  const ReplyForm form_;
  ExecCore& core_;
  PeerPolicy& peers_;
  LogLimit warnings_;
};

}  // namespace rawgate::exec
