// Listeners of echo's protocols on ports that the kernel picks, for tests.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "runtime/net/datagram_listener.h"
#include "runtime/net/stream_listener.h"
#include "runtime/testing/loop_thread.h"

namespace rawgate::echo {

// Handlers outlive this object.
class EchoListeners {
 public:
  ~EchoListeners() { thread_.Stop(); }

  net::StreamListener& Serve(net::StreamHandler& handler, const net::StreamOptions& options = {}) {
    streams_.push_back(std::make_unique<net::StreamListener>(
        thread_.loop(), "stream", *net::Endpoint::Parse("tcp://127.0.0.1:0"), options, handler,
        events_));
    return Start(*streams_.back());
  }
  net::DatagramListener& Serve(net::DatagramHandler& handler) {
    datagrams_.push_back(std::make_unique<net::DatagramListener>(
        thread_.loop(), "datagram", *net::Endpoint::Parse("udp://127.0.0.1:0"),
        net::DatagramOptions{}, handler, events_));
    return Start(*datagrams_.back());
  }
  testing::LoopThread& thread() { return thread_; }

 private:
  template <typename Listener>
  Listener& Start(Listener& listener) {
    const absl::Status started = thread_.Run([&] { return listener.Start(); });
    if (!started.ok()) throw std::runtime_error(started.ToString());
    return listener;
  }

  testing::LoopThread thread_;
  observe::EventLog events_;
  std::vector<std::unique_ptr<net::StreamListener>> streams_;
  std::vector<std::unique_ptr<net::DatagramListener>> datagrams_;
};

}  // namespace rawgate::echo
