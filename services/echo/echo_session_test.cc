#include "services/echo/echo_session.h"

#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/testing/loop_thread.h"
#include "runtime/testing/protocol_examples.h"
#include "runtime/testing/raw_client.h"

namespace rawgate::echo {
namespace {

using ::rawgate::testing::Example;
using ::rawgate::testing::LoopThread;
using ::rawgate::testing::RawClient;

class EchoSessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    stream_listener_ = std::make_unique<net::StreamListener>(
        thread_.loop(), "tcp", *net::Endpoint::Parse("tcp://127.0.0.1:0"), net::StreamOptions{},
        stream_, events_);
    datagram_listener_ = std::make_unique<net::DatagramListener>(
        thread_.loop(), "udp", *net::Endpoint::Parse("udp://127.0.0.1:0"), net::DatagramOptions{},
        datagram_, events_);
    ASSERT_TRUE(thread_.Run([&] { return stream_listener_->Start(); }).ok());
    ASSERT_TRUE(thread_.Run([&] { return datagram_listener_->Start(); }).ok());
  }
  void TearDown() override { thread_.Stop(); }

  LoopThread thread_;
  observe::EventLog events_;
  EchoStreamSession stream_{Transform::kUpper};
  EchoDatagramSession datagram_{DatagramReply::kGreeting};
  std::unique_ptr<net::StreamListener> stream_listener_;
  std::unique_ptr<net::DatagramListener> datagram_listener_;
};

TEST_F(EchoSessionTest, AnswersTheExamplesOfItsProtocolDocument) {
  const auto examples = rawgate::testing::ReadExamples("services/echo/PROTOCOL.md");
  ASSERT_EQ(examples.size(), 3);
  for (const Example& example : examples) {
    ASSERT_EQ(example.messages.size(), 2) << example.name;
    const bool udp = example.name.starts_with("datagram");
    RawClient client(udp ? datagram_listener_->bound_uri() : stream_listener_->bound_uri());
    ASSERT_TRUE(client.Send(example.messages[0].bytes));
    EXPECT_EQ(client.ReadExactly(example.messages[1].bytes.size()), example.messages[1].bytes)
        << example.name;
  }
}

TEST_F(EchoSessionTest, AClientThatSendsFarAheadOfItsReadingLosesNothing) {
  constexpr size_t kSize = 24 << 20;  // more than the buffers of a loopback connection hold
  RawClient client(stream_listener_->bound_uri());
  std::thread sender([&] {
    EXPECT_TRUE(client.Send(std::string(kSize, 'x')));
    client.HalfClose();
  });
  const std::string answer = client.ReadToEnd();
  sender.join();
  EXPECT_EQ(answer.size(), kSize);
  EXPECT_EQ(answer.find_first_not_of('X'), std::string::npos);
}

TEST_F(EchoSessionTest, DatagramsCanComeBackAsTheyWereOrUpperCased) {
  std::array<char, 16> reply{};
  const net::Endpoint peer;
  EchoDatagramSession identity(DatagramReply::kIdentity);
  EXPECT_EQ(identity.OnDatagram({peer, "abc"}, reply), 3);
  EXPECT_EQ(absl::string_view(reply.data(), 3), "abc");
  EchoDatagramSession upper(DatagramReply::kUpper);
  EXPECT_EQ(upper.OnDatagram({peer, "abc"}, reply), 3);
  EXPECT_EQ(absl::string_view(reply.data(), 3), "ABC");
  EXPECT_EQ(upper.OnDatagram({peer, ""}, reply), 0);
}

}  // namespace
}  // namespace rawgate::echo
