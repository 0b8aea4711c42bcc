// A replica that says GOAWAY to every call has seen none of them, so gRPC may try them again: unary
// ones it does, streams it must not (see OpenBackendChannels()).
#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "gateway/backend_channel.h"
#include "gateway/test_backend.h"
#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::gateway {
namespace {

// What gRPC's servers cannot be told to do: HTTP/2 (RFC 9113) by hand.
class GoingReplica {
 public:
  GoingReplica() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { AcceptAll(); });
  }
  // After the client's channels.
  ~GoingReplica() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (Connection& connection : connections_) {
      ::shutdown(connection.socket.get(), SHUT_RDWR);
      connection.thread.join();
    }
  }

  std::string target() const { return absl::StrCat("ipv4:127.0.0.1:", port_); }

  std::atomic<int> refused = 0;

 private:
  enum Type : char { kHeaders = 1, kSettings = 4, kPing = 6, kGoAway = 7 };
  struct Connection {
    Fd socket;
    std::thread thread;
  };

  void AcceptAll() {
    for (;;) {
      Fd socket(::accept(listener_.get(), nullptr, nullptr));
      if (socket.get() < 0) return;
      const int fd = socket.get();
      connections_.push_back({std::move(socket), std::thread([this, fd] { Serve(fd); })});
    }
  }

  void Serve(int fd) {
    std::string bytes;
    constexpr size_t kPrefaceSize = 24;
    if (!Receive(fd, kPrefaceSize, bytes)) return;
    Send(fd, kSettings, 0, 0, "");
    std::string head;
    while (Receive(fd, 9, head)) {
      const auto byte = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
      if (!Receive(fd, size_t{byte(0)} << 16 | size_t{byte(1)} << 8 | byte(2), bytes)) return;
      const bool is_acknowledgement = (byte(4) & 1) != 0;
      const char stream = head[8];
      if (head[3] == kSettings && !is_acknowledgement) Send(fd, kSettings, 1, 0, "");
      if (head[3] == kPing && !is_acknowledgement) Send(fd, kPing, 1, 0, bytes);
      if (head[3] != kHeaders) continue;
      if (absl::StrContains(bytes, "grpc.health.v1.Health")) {
        // ":status: 200", and UNIMPLEMENTED: it counts as serving.
        std::string block = "\x88";
        for (const auto& [name, value] :
             {std::pair<std::string, std::string>{"content-type", "application/grpc"},
              {"grpc-status", "12"}}) {
          block += '\0';
          block += static_cast<char>(name.size()) + name;
          block += static_cast<char>(value.size()) + value;
        }
        Send(fd, kHeaders, 1 | 4, stream, block);
      } else {
        ++refused;
        // The last stream that was seen is that of the health check; NO_ERROR.
        Send(fd, kGoAway, 0, 0, std::string("\0\0\0\1\0\0\0\0", 8));
      }
    }
  }

  static bool Receive(int fd, size_t size, std::string& bytes) {
    bytes.resize(size);
    return size == 0 || ::recv(fd, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }
  static void Send(int fd, char type, char flags, char stream, const std::string& payload) {
    std::string frame = {0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, stream};
    frame += payload;
    ::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL);
  }

  const Fd listener_;
  int port_ = 0;
  std::thread acceptor_;
  // The acceptor's, until it has ended.
  std::list<Connection> connections_;
};

class StreamRetriesTest : public ::testing::Test {
 protected:
  static void AwaitReady(grpc::Channel& channel) {
    EXPECT_TRUE(
        channel.WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30)));
  }

  GoingReplica replica_;
  const LaneChannels lane_ = std::move(
      OpenBackendChannels("echo", replica_.target(), grpc::InsecureChannelCredentials()).front());
};

TEST_F(StreamRetriesTest, StreamThatWasNotSeenIsNotBegunAgain) {
  AwaitReady(*lane_.streams);
  grpc::ClientContext context;
  const auto stub = echo::v1::EchoService::NewStub(lane_.streams);
  const auto stream = stub->Converse(&context);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(replica_.refused, 1);
}

TEST_F(StreamRetriesTest, UnaryCallThatWasNotSeenIs) {
  AwaitReady(*lane_.unary);
  grpc::ClientContext context;
  echo::v1::EchoResponse response;
  const auto stub = echo::v1::EchoService::NewStub(lane_.unary);
  EXPECT_EQ(stub->Echo(&context, {}, &response).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GT(replica_.refused, 1);
}

}  // namespace
}  // namespace rawgate::gateway
