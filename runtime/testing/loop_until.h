// For tests whose own thread runs the loop.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <boost/asio/io_context.hpp>

#include "runtime/testing/udp_client.h"

namespace rawgate::testing {

// Runs the loop until `done`; false when that takes unreasonably long.
inline bool RunUntil(boost::asio::io_context& loop, const std::function<bool()>& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!done()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    loop.restart();
    loop.run_one_for(std::chrono::milliseconds(5));
  }
  return true;
}

// The next datagram that comes to `client` while the loop runs.
inline std::string Receive(boost::asio::io_context& loop, UdpClient& client) {
  std::optional<std::string> payload;
  const auto arrived = [&] { return (payload = client.Receive()).has_value(); };
  return RunUntil(loop, arrived) ? *payload : "(nothing came)";
}

}  // namespace rawgate::testing
