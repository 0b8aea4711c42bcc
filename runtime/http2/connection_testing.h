// For tests: two ends of one connection on one loop, of which either may be a plain socket, and
// streams that keep what they are told.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "gtest/gtest.h"
#include "runtime/base/fd.h"
#include "runtime/http2/connection.h"
#include "runtime/http2/loop.h"
#include "runtime/http2/stream.h"
#include "runtime/testing/loop_until.h"

namespace rawgate::http2 {

class TestStream final : public Stream {
 public:
  // With `consumes`, what comes may be followed by as much more.
  explicit TestStream(bool consumes = true) : consumes_(consumes) {}

  std::vector<HeaderList> blocks;
  std::string data;
  size_t sent = 0;
  // Calls that say so.
  int ends = 0;
  int too_large = 0;
  // Set once.
  std::optional<uint32_t> closed;

 private:
  void OnHeaders(HeaderList headers, bool end) override {
    blocks.push_back(std::move(headers));
    if (end) ++ends;
  }
  void OnHeadersTooLarge() override { ++too_large; }
  void OnData(absl::string_view bytes) override {
    data.append(bytes.data(), bytes.size());
    if (consumes_) Consume(bytes.size());
  }
  void OnEnd() override { ++ends; }
  void OnSent(size_t bytes) override { sent += bytes; }
  void OnClosed(uint32_t error_code) override {
    EXPECT_FALSE(closed.has_value());
    closed = error_code;
  }

  const bool consumes_;
};

// One end: keeps the streams that the peer begins, and how the connection ended.
class TestEnd final : public Connection::Owner {
 public:
  // Whether the next requests are refused, and whether what their streams bring is consumed.
  bool refuses = false;
  bool consumes = true;
  std::vector<std::unique_ptr<TestStream>> requests;
  int ready = 0;
  int goaways = 0;
  std::optional<std::string> ended;
  const std::shared_ptr<Traffic> traffic = std::make_shared<Traffic>();
  std::unique_ptr<Connection> connection;

 private:
  Stream* OnRequest(Connection&) override {
    if (refuses) return nullptr;
    return requests.emplace_back(std::make_unique<TestStream>(consumes)).get();
  }
  void OnReady(Connection&) override { ++ready; }
  void OnGoaway(Connection&) override { ++goaways; }
  void OnEnded(Connection& over, absl::string_view why) override {
    EXPECT_FALSE(ended.has_value());
    ended = std::string(why);
    over.loop().Bury(std::shared_ptr<void>(std::shared_ptr<Connection>(std::move(connection))));
  }
};

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    int fds[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    server_fd_ = Fd(fds[0]);
    client_fd_ = Fd(fds[1]);
  }

  void StartServer(Settings settings = {}) {
    settings.server = true;
    Start(server_, server_fd_, settings);
  }
  void StartClient(Settings settings = {}) { Start(client_, client_fd_, settings); }
  void StartBoth(const Settings& of_server = {}, const Settings& of_client = {}) {
    StartServer(of_server);
    StartClient(of_client);
  }

  // As one turn of the loop.
  template <typename Task>
  void Do(Task task) {
    loop_.RunTurn(task);
  }
  template <typename Condition>
  bool Until(Condition condition) {
    return testing::RunUntil(loop_.context(), condition);
  }
  void Begin(TestStream& stream, const HeaderList& headers, bool end) {
    Do([&] { EXPECT_TRUE(client_.connection->Begin(stream, headers, end)); });
  }
  // As after all streams before.
  void SetNextStream(int32_t id) {
    EXPECT_EQ(nghttp2_session_set_next_stream_id(client_.connection->session_.get(), id), 0);
  }
  // Begins a request, and waits until the server has its headers.
  TestStream& BeginAtServer(TestStream& stream, bool end = false) {
    const size_t before = server_.requests.size();
    Begin(stream, Request(), end);
    EXPECT_TRUE(Until([&] {
      return server_.requests.size() > before && !server_.requests.back()->blocks.empty();
    }));
    return *server_.requests.back();
  }

  static HeaderList Request() {
    HeaderList headers;
    headers.Add(":method", "POST");
    headers.Add(":scheme", "http");
    headers.Add(":path", "/x");
    headers.Add(":authority", "x");
    return headers;
  }
  static HeaderList Answer() {
    HeaderList headers;
    headers.Add(":status", "200");
    return headers;
  }
  static HeaderList Trailers() {
    HeaderList headers;
    headers.Add("grpc-status", "0");
    return headers;
  }

  // What a plain socket does.
  static void Send(const Fd& fd, absl::string_view bytes) {
    ASSERT_EQ(::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Everything that is there.
  static std::string Receive(const Fd& fd) {
    std::string bytes(1 << 20, '\0');
    const ssize_t size = ::recv(fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return bytes;
  }

  Loop loop_;
  Fd server_fd_;
  Fd client_fd_;
  TestEnd server_;
  TestEnd client_;

 private:
  void Start(TestEnd& end, Fd& fd, const Settings& settings) {
    Do([&] {
      end.connection = std::make_unique<Connection>(
          loop_, end, settings, std::make_unique<Wire>(std::move(fd)), end.traffic);
      end.connection->Start();
    });
  }
};

}  // namespace rawgate::http2
