// A replica that says GOAWAY to every call has seen none of them, so they may be tried again: unary
// ones are, a stream, of which more may have gone than is kept, is not.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "gateway/test_forwarder.h"
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
  // After whoever calls it.
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
      if (stream == 1) {
        // The health check, which comes first. ":status: 200", and UNIMPLEMENTED: it counts as
        // serving.
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
  GoingReplica replica_;
  TestForwarder gateway_{
      {TestUpstreams("echo", {replica_.target()}), TestUpstreams("file", {replica_.target()})},
      ForwarderOptions{},
      {}};
  const std::unique_ptr<echo::v1::EchoService::Stub> stub_ =
      echo::v1::EchoService::NewStub(gateway_.Channel());
};

TEST_F(StreamRetriesTest, StreamThatWasNotSeenIsNotBegunAgain) {
  grpc::ClientContext context;
  const auto stream = stub_->Converse(&context);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(replica_.refused, 1);
}

TEST_F(StreamRetriesTest, NorIsOneThatIsIdempotent) {
  grpc::ClientContext context;
  const auto stub = file::v1::FileService::NewStub(gateway_.Channel());
  const auto stream = stub->Download(&context, {});
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(replica_.refused, 1);
}

TEST_F(StreamRetriesTest, UnaryCallThatWasNotSeenIs) {
  grpc::ClientContext context;
  echo::v1::EchoResponse response;
  EXPECT_EQ(stub_->Echo(&context, {}, &response).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_GT(replica_.refused, 1);
}

}  // namespace
}  // namespace rawgate::gateway
