// A datagram listener on a loop that the test drives.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/net/datagram_listener.h"
#include "runtime/net/datagram_rules.h"
#include "runtime/testing/loop_until.h"
#include "runtime/testing/udp_client.h"

namespace rawgate::net {

using rawgate::testing::UdpClient;

// Answers each datagram with itself, "silence" with nothing.
class EchoHandler final : public DatagramHandler {
 public:
  std::optional<size_t> OnDatagram(const Datagram& datagram, std::span<char> reply) override {
    last_truncated = datagram.truncated;
    last_listener = datagram.listener;
    last_reply_limit = reply.size();
    last_local = datagram.local;
    if (datagram.payload == "silence") return std::nullopt;
    return datagram.payload.copy(reply.data(), reply.size());
  }
  void OnOversized(const Datagram& datagram) override { oversized.emplace_back(datagram.payload); }

  bool last_truncated = false;
  DatagramListener* last_listener = nullptr;
  size_t last_reply_limit = 0;
  LocalAddress last_local;
  std::vector<std::string> oversized;
};

class DatagramListenerTest : public ::testing::Test {
 protected:
  std::unique_ptr<DatagramListener> Make(absl::string_view uri,
                                         const DatagramOptions& options = {}) {
    return std::make_unique<DatagramListener>(loop_, "udp", Endpoint::Parse(uri).value(), options,
                                              handler_, events_);
  }
  std::unique_ptr<DatagramListener> Started(absl::string_view uri = "udp://127.0.0.1:0",
                                            const DatagramOptions& options = {}) {
    auto listener = Make(uri, options);
    const absl::Status started = listener->Start();
    EXPECT_TRUE(started.ok()) << started;
    return listener;
  }

  bool RunUntil(const std::function<bool()>& done) { return testing::RunUntil(loop_, done); }
  std::string Receive(UdpClient& client) { return testing::Receive(loop_, client); }
  std::string Ask(UdpClient& client, absl::string_view payload) {
    EXPECT_TRUE(client.Send(payload));
    return Receive(client);
  }
  static std::string Port(const Listener& listener) {
    const std::string uri = listener.bound_uri();
    return uri.substr(uri.rfind(':'));
  }

  asio::io_context loop_{1};
  observe::EventLog events_;
  EchoHandler handler_;
};

inline DatagramOptions NobodyTrusted() {
  DatagramOptions options;
  options.trusted = [](const Endpoint&) { return false; };
  return options;
}

}  // namespace rawgate::net
