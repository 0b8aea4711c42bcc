// Datagrams over Unix sockets.
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/net/datagram_listener_testing.h"

namespace rawgate::net {
namespace {

class DatagramUnixTest : public DatagramListenerTest {
 protected:
  DatagramUnixTest() {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    server_ = absl::StrCat("unixgram://", folder_, "/server.sock");
    peer_ = absl::StrCat("unixgram://", folder_, "/peer.sock");
  }
  ~DatagramUnixTest() override {
    for (const char* name : {"/server.sock", "/peer.sock"})
      ::unlink(absl::StrCat(folder_, name).c_str());
    ::rmdir(folder_.c_str());
  }
  bool Exists(absl::string_view uri) {
    struct stat info {};
    return ::lstat(Endpoint::Parse(uri).value().path().c_str(), &info) == 0;
  }

  std::string folder_ = "/tmp/rawgate-unixgram-XXXXXX";
  std::string server_;
  std::string peer_;
};

TEST_F(DatagramUnixTest, APeerWithAPathIsAnswered) {
  auto listener = Started(server_);
  EXPECT_EQ(listener->bound_uri(), server_);
  UdpClient client(server_, peer_);
  EXPECT_EQ(Ask(client, "hello"), "hello");
  EXPECT_EQ(Ask(client, ""), "");
  std::vector<ConnectionInfo> rows;
  listener->List(0, 10, &rows);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].peer, peer_);
  EXPECT_EQ(rows[0].transport, Transport::kUnixDatagram);
  EXPECT_EQ(rows[0].requests, 2u);
}

TEST_F(DatagramUnixTest, APeerWithAnAbstractNameIsAnswered) {
  auto listener = Started(server_);
  const Endpoint server = Endpoint::Parse(server_).value();
  const Fd client(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Binding to no name at all lets the kernel pick an abstract one.
  sockaddr_un nameless{};
  nameless.sun_family = AF_UNIX;
  ASSERT_EQ(::bind(client.get(), reinterpret_cast<const sockaddr*>(&nameless), sizeof(sa_family_t)),
            0);
  ASSERT_EQ(::sendto(client.get(), "hello", 5, 0, server.data(), server.size()), 5);
  char reply[16];
  ASSERT_TRUE(RunUntil([&] { return ::recv(client.get(), reply, sizeof(reply), 0) == 5; }));
  std::vector<ConnectionInfo> rows;
  listener->List(0, 10, &rows);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(rows[0].peer, "unixgram://@")) << rows[0].peer;
}

TEST_F(DatagramUnixTest, APeerWithoutANameCannotBeAnsweredAndIsCounted) {
  auto listener = Started(server_);
  const Endpoint server = Endpoint::Parse(server_).value();
  const Fd client(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ASSERT_EQ(::sendto(client.get(), "hello", 5, 0, server.data(), server.size()), 5);
  ASSERT_TRUE(RunUntil([&] { return listener->counters().datagrams_dropped() == 1; }));
  EXPECT_EQ(listener->counters()
                .dropped[static_cast<size_t>(observe::DropReason::kSourceAddress)]
                .value(),
            1u);
}

TEST_F(DatagramUnixTest, APeerThatIsGoneFailsTheSendAndNoMore) {
  auto listener = Started(server_);
  {
    UdpClient gone(server_, peer_);
    ASSERT_TRUE(gone.Send("hello"));
  }
  ::unlink(Endpoint::Parse(peer_).value().path().c_str());
  ASSERT_TRUE(RunUntil([&] { return listener->counters().send_failures.value() == 1; }));
  UdpClient client(server_, peer_);
  EXPECT_EQ(Ask(client, "hello"), "hello");
}

TEST_F(DatagramUnixTest, ThePathIsRemovedAtTheStopAndAStaleOneIsReplaced) {
  auto listener = Started(server_);
  EXPECT_TRUE(Exists(server_));
  listener->Stop([] {});
  EXPECT_FALSE(Exists(server_));
  // Bound and closed without being removed, as by a process that was killed.
  (void)BindDatagram(Endpoint::Parse(server_).value()).value();
  EXPECT_TRUE(Exists(server_));
  auto next = Started(server_);
  UdpClient client(server_, peer_);
  EXPECT_EQ(Ask(client, "hello"), "hello");
}

TEST_F(DatagramUnixTest, ALiveServersPathIsNotTaken) {
  auto first = Started(server_);
  auto second = Make(server_);
  const absl::Status started = second->Start();
  EXPECT_TRUE(absl::StrContains(started.message(), "in use")) << started;
  UdpClient client(server_, peer_);
  EXPECT_EQ(Ask(client, "hello"), "hello");
}

}  // namespace
}  // namespace rawgate::net
