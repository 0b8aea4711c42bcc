#include "services/echo/echo_session.h"

#include <array>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/testing/raw_client.h"
#include "services/echo/echo_listeners_testing.h"

namespace rawgate::echo {
namespace {

using ::rawgate::testing::RawClient;

TEST(EchoSessionTest, AClientThatSendsFarAheadOfItsReadingLosesNothing) {
  constexpr size_t kSize = 24 << 20;  // more than the buffers of a loopback connection hold
  EchoStreamSession upper(Transform::kUpper);
  EchoListeners listeners;
  RawClient client(listeners.Serve(upper).bound_uri());
  std::thread sender([&] {
    EXPECT_TRUE(client.Send(std::string(kSize, 'x')));
    client.HalfClose();
  });
  const std::string answer = client.ReadToEnd();
  sender.join();
  EXPECT_EQ(answer.size(), kSize);
  EXPECT_EQ(answer.find_first_not_of('X'), std::string::npos);
}

TEST(EchoSessionTest, DatagramsCanComeBackAsTheyWereOrUpperCased) {
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
