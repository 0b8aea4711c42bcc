// A desk behind datagram listeners, on a loop that the test drives.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "runtime/testing/loop_until.h"
#include "runtime/testing/manual_clock.h"
#include "runtime/testing/udp_client.h"
#include "services/chat/chat_core.h"
#include "services/chat/chat_session.h"

namespace rawgate::chat {

using testing::UdpClient;

class ChatSessionTest : public ::testing::Test {
 protected:
  std::unique_ptr<net::DatagramListener> Started(absl::string_view uri) {
    auto listener =
        std::make_unique<net::DatagramListener>(loop_, "udp", net::Endpoint::Parse(uri).value(),
                                                ChatDatagramSession::Options(), session_, events_);
    const absl::Status started = listener->Start();
    EXPECT_TRUE(started.ok()) << started;
    return listener;
  }
  bool RunUntil(const std::function<bool()>& done) { return testing::RunUntil(loop_, done); }
  // Sends, and returns when the core has heard it.
  void Say(UdpClient& client, absl::string_view body) {
    const std::string id = client.endpoint().HostPort();
    const uint64_t heard = Find(id).heard;
    ASSERT_TRUE(client.Send(body));
    ASSERT_TRUE(RunUntil([&] { return Find(id).heard > heard; }));
  }
  std::string Receive(UdpClient& client) { return testing::Receive(loop_, client); }
  Session Find(absl::string_view id) {
    for (const Session& session : core_.ListSessions(std::numeric_limits<uint64_t>::max(), 1000)) {
      if (session.id == id) return session;
    }
    return {};
  }

  testing::ManualClock clock_{absl::FromUnixSeconds(1'000'000)};
  ChatCore core_{clock_, {.text = "The desk opens at nine."}};
  ChatDatagramSession session_{core_};
  boost::asio::io_context loop_{1};
  observe::EventLog events_;
};

}  // namespace rawgate::chat
