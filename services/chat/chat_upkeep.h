// What a desk needs done beside its messages: sessions that have expired are forgotten now and
// then.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "services/chat/chat_core.h"

namespace rawgate::chat {

// Its timer is the loop's. Destroyed when that runs no more.
class ChatUpkeep {
 public:
  // Both outlive this object.
  ChatUpkeep(ChatCore& core, boost::asio::io_context& loop);

 private:
  void ForgetExpiredLater();

  ChatCore& core_;
  boost::asio::steady_timer timer_;
};

}  // namespace rawgate::chat
