#include "runtime/net/inherited_sockets.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/net/bind.h"
#include "runtime/net/datagram_listener_testing.h"
#include "runtime/net/stream_listener_testing.h"

namespace rawgate::net {
namespace {

using ::testing::Contains;
using ::testing::Not;

// Binds as a service manager does, and hands the socket over; the copy that is returned is what the
// service manager keeps.
struct HandedOver {
  Fd kept;
  std::string uri;
};

HandedOver HandOver(BoundSocket bound) {
  Fd kept(::dup(bound.fd.get()));
  const std::string uri = bound.endpoint.ToUri();
  EXPECT_TRUE(AddInheritedSocket(std::move(bound.fd)).ok());
  return {std::move(kept), uri};
}

HandedOver Stream(absl::string_view uri) {
  return HandOver(BindStream(Endpoint::Parse(uri).value()).value());
}

// Bound to a port by its number, as those of socket units are.
HandedOver Stream() {
  const Endpoint picked = BindStream(Endpoint::Parse("tcp://127.0.0.1:0").value()).value().endpoint;
  return Stream(picked.ToUri());
}

bool Listens(int fd) {
  int value = 0;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1;
}

class InheritedStreamTest : public StreamListenerTest {
 protected:
  void Start() {
    ASSERT_TRUE(thread_.Run([&] { return listener_->Start(); }).ok());
  }
};

TEST_F(InheritedStreamTest, AListenerOfTheSameAddressServesThePeersThatCameBeforeIt) {
  const HandedOver socket = Stream();
  RawClient early(socket.uri);
  ASSERT_TRUE(early.Send("early\n"));
  Listen({}, socket.uri);
  EXPECT_EQ(early.ReadExactly(6), "early\n");
  EXPECT_EQ(Uri(), socket.uri);
}

TEST_F(InheritedStreamTest, PeersOfAStoppedListenerAreRefusedUntilItStartsAgain) {
  const HandedOver socket = Stream();
  Listen({}, socket.uri);
  Stop();
  EXPECT_FALSE(RawClient(socket.uri).connected());
  Start();
  RawClient client(socket.uri);
  ASSERT_TRUE(client.Send("again\n"));
  EXPECT_EQ(client.ReadExactly(6), "again\n");
}

TEST_F(InheritedStreamTest, APortThatTheKernelPickedIsLostWithAStop) {
  const HandedOver socket = Stream("tcp://127.0.0.1:0");
  Listen({}, socket.uri);
  Stop();
  EXPECT_EQ(ReasonOf(thread_.Run([&] { return listener_->Start(); })), "BIND_FAILED");
}

TEST_F(InheritedStreamTest, PeersOfAUnixSocketWaitForAStoppedListener) {
  const std::string path =
      absl::StrCat(::testing::TempDir(), "rawgate-inherited-", ::getpid(), ".sock");
  const HandedOver socket = Stream(absl::StrCat("unix://", path));
  Listen({}, socket.uri);
  Stop();
  RawClient client(socket.uri);
  ASSERT_TRUE(client.Send("again\n"));
  Start();
  EXPECT_EQ(client.ReadExactly(6), "again\n");
  ::unlink(path.c_str());
}

TEST_F(InheritedStreamTest, TheAddressOfAnotherSocketIsBoundAsEver) {
  const HandedOver socket = Stream();
  Listen();
  EXPECT_NE(Uri(), socket.uri);
  EXPECT_THAT(UnclaimedInheritedSockets(), Contains(socket.uri));
}

TEST_F(InheritedStreamTest, WhatIsClaimedIsNotUnclaimed) {
  const HandedOver socket = Stream();
  EXPECT_THAT(UnclaimedInheritedSockets(), Contains(socket.uri));
  Listen({}, socket.uri);
  EXPECT_THAT(UnclaimedInheritedSockets(), Not(Contains(socket.uri)));
}

TEST(InheritedDatagramsTest, TheFirstListenerHearsWhatCameBeforeItAndALaterOneDoesNot) {
  const HandedOver socket =
      HandOver(BindDatagram(Endpoint::Parse("udp://127.0.0.1:0").value()).value());
  const Endpoint address = Endpoint::Parse(socket.uri).value();
  const auto came = [&](absl::string_view text) {
    const Fd client(::socket(AF_INET, SOCK_DGRAM, 0));
    ASSERT_EQ(::sendto(client.get(), text.data(), text.size(), 0, address.data(), address.size()),
              static_cast<ssize_t>(text.size()));
  };
  const auto heard = [](const Fd& fd) {
    char text[16];
    const ssize_t size = ::recv(fd.get(), text, sizeof(text), MSG_DONTWAIT);
    return size < 0 ? std::string("nothing") : std::string(text, static_cast<size_t>(size));
  };
  came("first");
  {
    const BoundSocket bound = BindDatagram(address).value();
    EXPECT_TRUE(bound.inherited);
    EXPECT_EQ(heard(bound.fd), "first");
  }
  came("while stopped");
  const BoundSocket bound = BindDatagram(address).value();
  EXPECT_EQ(heard(bound.fd), "nothing");
}

TEST(InheritedSocketsTest, WhatIsNoSocketOfAListenerIsRefused) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd other(ends[1]);
  EXPECT_EQ(AddInheritedSocket(Fd(ends[0])).code(), absl::StatusCode::kInvalidArgument);
  Fd not_listening(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(AddInheritedSocket(std::move(not_listening)).code(),
            absl::StatusCode::kInvalidArgument);
}

// Last: what is handed back stays so.
TEST(InheritedSocketsTest, ZAtTheEndEverySocketListensAgain) {
  const HandedOver socket = Stream();
  const Endpoint address = Endpoint::Parse(socket.uri).value();
  BindStream(address).value();
  RefuseAtInheritedSocket(address, SOCK_STREAM);
  EXPECT_FALSE(Listens(socket.kept.get()));
  HandInheritedSocketsBack();
  EXPECT_TRUE(Listens(socket.kept.get()));
  RefuseAtInheritedSocket(address, SOCK_STREAM);
  EXPECT_TRUE(Listens(socket.kept.get()));
}

}  // namespace
}  // namespace rawgate::net
