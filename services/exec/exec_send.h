// Replies on their way out: head and body, from memory and from files, in full packets.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "runtime/net/connection.h"
#include "services/exec/exec_reply.h"

namespace rawgate::exec {

// Sends `head` and `body`, which stay as they are meanwhile, in one gathered write when they are in
// memory. `progressed` is called each time the peer has taken a part of a file. False: the
// connection is closed. Loop thread.
boost::asio::awaitable<bool> SendReply(net::Connection& connection, const std::string& head,
                                       const Body& body,
                                       const std::function<void()>& progressed = {});

}  // namespace rawgate::exec
