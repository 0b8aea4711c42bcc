#include "gateway/client_acceptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "gateway/test_backend.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace rawgate::gateway {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

// A server that keeps what it is handed.
class ClientAcceptorTest : public ::testing::Test {
 protected:
  ~ClientAcceptorTest() override { acceptor_->Stop(); }

  void Start(const std::string& uri, ClientAcceptor::Limits limits = {}, bool tls = false) {
    acceptor_ = std::make_unique<ClientAcceptor>(limits);
    ASSERT_TRUE(acceptor_->Listen("door", *net::Endpoint::Parse(uri), tls).ok());
    ASSERT_TRUE(acceptor_
                    ->Start([this](Fd fd, const ClientConnection& connection) {
                      absl::MutexLock lock(&mutex_);
                      taken_.push_back({std::move(fd), connection});
                    })
                    .ok());
  }
  Fd Connect() {
    const net::Endpoint address = *net::Endpoint::Parse(acceptor_->uris().at(0));
    Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), address.data(), address.size()), 0);
    return fd;
  }
  size_t taken() {
    absl::MutexLock lock(&mutex_);
    return taken_.size();
  }
  void ServerCloses(size_t index) {
    absl::MutexLock lock(&mutex_);
    acceptor_->connections().Remove(taken_.at(index).connection.id);
    taken_.at(index).fd.Reset();
  }
  std::vector<net::ConnectionInfo> Rows(uint64_t after = 0, size_t limit = 100) {
    std::vector<net::ConnectionInfo> rows;
    acceptor_->connections().List(after, limit, &rows);
    return rows;
  }
  static bool IsClosed(const Fd& fd) {
    char byte;
    return ::recv(fd.get(), &byte, 1, 0) <= 0;
  }

  struct Taken {
    Fd fd;
    ClientConnection connection;
  };
  absl::Mutex mutex_;
  std::vector<Taken> taken_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ClientAcceptor> acceptor_;
};

TEST_F(ClientAcceptorTest, RowsSayThatTheirListenerSpeaksTls) {
  Start("tcp://127.0.0.1:0", {}, /*tls=*/true);
  const Fd client = Connect();
  ASSERT_TRUE(Eventually([&] { return Rows().size() == 1; }));
  const net::ConnectionInfo row = Rows().at(0);
  EXPECT_EQ(row.transport, net::Transport::kTls);
  EXPECT_THAT(row.peer, StartsWith("tls://127.0.0.1:"));
  // Whoever serves it is told the peer as it is without.
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  absl::MutexLock lock(&mutex_);
  EXPECT_EQ(taken_[0].connection.peer, absl::StrCat("tcp", row.peer.substr(3)));
}

TEST_F(ClientAcceptorTest, HandsOverAndListsInOrder) {
  Start("tcp://127.0.0.1:0");
  const Fd first = Connect();
  const Fd second = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 2; }));
  const std::vector<net::ConnectionInfo> rows = Rows();
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_EQ(rows[0].listener, "door");
  EXPECT_EQ(acceptor_->connections().CountsByListener()["door"].open, 2U);
  EXPECT_EQ(acceptor_->connections().CountsByListener()["door"].opened, 2U);
  EXPECT_THAT(rows[0].peer, StartsWith("tcp://127.0.0.1:"));
  EXPECT_LE(rows[0].open_time, absl::Now());
  EXPECT_LT(rows[0].id, rows[1].id);
  EXPECT_THAT(Rows(0, 1), SizeIs(1));
  ASSERT_THAT(Rows(rows[0].id), SizeIs(1));
  EXPECT_EQ(Rows(rows[0].id)[0].peer, rows[1].peer);
  absl::MutexLock lock(&mutex_);
  EXPECT_NE(::fcntl(taken_[0].fd.get(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(taken_[0].connection.fd, taken_[0].fd.get());
  EXPECT_EQ(taken_[0].connection.id, rows[0].id);
  EXPECT_EQ(taken_[0].connection.peer, rows[0].peer);
}

TEST_F(ClientAcceptorTest, RowsShowWhatTheServerCounts) {
  Start("tcp://127.0.0.1:0");
  const Fd client = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  absl::MutexLock lock(&mutex_);
  http2::Traffic& traffic = *taken_[0].connection.traffic;
  traffic.bytes_received.Add(5);
  traffic.bytes_sent.Add(2);
  traffic.streams.Add();
  EXPECT_EQ(Rows()[0].bytes_received, 5U);
  EXPECT_EQ(Rows()[0].bytes_sent, 2U);
  EXPECT_EQ(Rows()[0].requests, 1U);
}

TEST_F(ClientAcceptorTest, RowGoesWhenTheServerHasClosed) {
  Start("tcp://127.0.0.1:0");
  Fd client = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  ServerCloses(0);
  // The acceptor keeps no descriptor of it.
  EXPECT_TRUE(IsClosed(client));
  EXPECT_TRUE(Rows().empty());
  EXPECT_EQ(acceptor_->connections().CountsByListener()["door"].open, 0U);
  EXPECT_EQ(acceptor_->connections().CountsByListener()["door"].opened, 1U);
}

TEST_F(ClientAcceptorTest, RowStaysUntilTheServerHasSeenTheEnd) {
  Start("tcp://127.0.0.1:0");
  Fd leaving = Connect();
  const Fd other = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 2; }));
  const uint64_t id = Rows()[0].id;
  leaving.Reset();
  // The acceptor has been past it when it has taken another.
  const Fd later = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 3; }));
  EXPECT_EQ(Rows()[0].id, id);
  ServerCloses(0);
  EXPECT_THAT(Rows(), SizeIs(2));
}

TEST_F(ClientAcceptorTest, CloseEndsOne) {
  Start("tcp://127.0.0.1:0");
  const Fd client = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  EXPECT_FALSE(acceptor_->connections().Close(Rows()[0].id + 1));
  EXPECT_TRUE(acceptor_->connections().Close(Rows()[0].id));
  EXPECT_TRUE(IsClosed(client));
  // Its server sees the end, too.
  absl::MutexLock lock(&mutex_);
  char byte;
  EXPECT_EQ(::recv(taken_[0].fd.get(), &byte, 1, 0), 0);
}

TEST_F(ClientAcceptorTest, OneMoreThanTheLimitWaits) {
  Start("tcp://127.0.0.1:0", {.connections_max = 2});
  const Fd first = Connect();
  const Fd second = Connect();
  const Fd waiting = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 2; }));
  EXPECT_EQ(acceptor_->connections().size(), 2U);
  ServerCloses(0);
  EXPECT_TRUE(Eventually([&] { return taken() == 3; }));
}

TEST_F(ClientAcceptorTest, UnixClientsAreShownByProcess) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/door-", ::getpid());
  Start(absl::StrCat("unix://", path));
  const Fd client = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  EXPECT_EQ(Rows()[0].peer, absl::StrCat("unix:pid=", ::getpid(), ",uid=", ::getuid()));
  EXPECT_EQ(Rows()[0].transport, net::Transport::kUnix);
  acceptor_->Stop();
  acceptor_ = std::make_unique<ClientAcceptor>(ClientAcceptor::Limits{});
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << "the socket's file is left behind";
}

TEST_F(ClientAcceptorTest, PathOfItsSuccessorIsLeftAlone) {
  const std::string path = absl::StrCat(::testing::TempDir(), "/successor-", ::getpid());
  Start(absl::StrCat("unix://", path));
  std::unique_ptr<ClientAcceptor> old = std::move(acceptor_);
  old->Stop();
  EXPECT_NE(::access(path.c_str(), F_OK), 0) << "the socket's file is left behind";
  Start(absl::StrCat("unix://", path));
  old.reset();
  EXPECT_EQ(::access(path.c_str(), F_OK), 0);
  const Fd client = Connect();
  EXPECT_TRUE(Eventually([&] { return taken() == 1; }));
}

TEST_F(ClientAcceptorTest, UsersAreNotedByConnection) {
  Start("tcp://127.0.0.1:0");
  const Fd client = Connect();
  ASSERT_TRUE(Eventually([&] { return taken() == 1; }));
  const uint64_t id = Rows()[0].id;
  acceptor_->connections().SetUser(id + 1, "somebody else");
  EXPECT_EQ(Rows()[0].user, "");
  acceptor_->connections().SetUser(id, "ada");
  EXPECT_EQ(Rows()[0].user, "ada");
}

TEST(ClientConnectionsTest, UserIsThatOfThisConnectionAndOfItsLastCall) {
  ClientConnections connections;
  const auto add = [&](uint64_t id) {
    ClientConnection connection;
    connection.id = id;
    connection.peer = "tcp://127.0.0.1:5";
    connection.traffic = std::make_shared<http2::Traffic>();
    connections.Add(std::move(connection));
  };
  const auto user = [&] {
    std::vector<net::ConnectionInfo> rows;
    connections.List(0, 10, &rows);
    return rows.at(0).user;
  };
  add(1);
  for (const char* name : {"ada", "ada", "bob"}) {
    connections.SetUser(1, name);
    EXPECT_EQ(user(), name);
  }
  std::thread([&] { connections.SetUser(1, "eve"); }).join();
  EXPECT_EQ(user(), "eve");
  // The kernel gives the same port to another.
  connections.Remove(1);
  add(2);
  EXPECT_EQ(user(), "");
  connections.SetUser(1, "eve");
  EXPECT_EQ(user(), "");
  connections.SetUser(2, "bob");
  EXPECT_EQ(user(), "bob");
}

TEST(ClientConnectionsTest, CountsBoundedSources) {
  ClientConnections connections;
  const net::Endpoint address = *net::Endpoint::Parse("tcp://192.0.2.1:5");
  const net::SourceNetwork source = net::SourceNetwork::Of(address.data());
  for (uint64_t id : {1, 2}) {
    ClientConnection connection;
    connection.id = id;
    connection.peer = absl::StrCat("tcp://192.0.2.1:", id);
    connection.source = source;
    connection.traffic = std::make_shared<http2::Traffic>();
    connections.Add(std::move(connection));
  }
  EXPECT_EQ(connections.CountOf(source), 2U);
  connections.Remove(1);
  connections.Remove(1);
  EXPECT_EQ(connections.CountOf(source), 1U);
  connections.Remove(2);
  EXPECT_EQ(connections.CountOf(source), 0U);
}

}  // namespace
}  // namespace rawgate::gateway
