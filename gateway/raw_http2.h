// For tests: a client that puts HTTP/2 frames on the wire as it likes, where gRPC's own would not.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "runtime/base/fd.h"

namespace rawgate::gateway {

class RawHttp2 {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit RawHttp2(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  }

  // With `no_window` the server may send no data on any stream (RFC 9113, 6.9.2).
  void SendSettings(bool no_window = false) {
    SendFrame(4, 0, 0, no_window ? std::string("\0\x4\0\0\0\0", 6) : "");
  }

  // A call of `path`, without its message.
  void SendHeaders(char stream, const std::string& path, const Headers& more = {}) {
    std::string block;
    for (const auto& [name, value] : Headers{{":method", "POST"},
                                             {":scheme", "http"},
                                             {":path", path},
                                             {":authority", "x"},
                                             {"te", "trailers"},
                                             {"content-type", "application/grpc"}})
      AppendHeader(name, value, &block);
    for (const auto& [name, value] : more) AppendHeader(name, value, &block);
    SendFrame(1, 4, stream, block);  // END_HEADERS
  }

  // A message of the call, of no bytes, and with `end` the half-close.
  void SendEmptyMessage(char stream, bool end = true) {
    SendFrame(0, end ? 1 : 0, stream, std::string(5, '\0'));
  }

 private:
  // Literal header field without indexing, new name (RFC 7541, 6.2.2).
  static void AppendHeader(const std::string& name, const std::string& value, std::string* block) {
    *block += '\0';
    *block += static_cast<char>(name.size());
    *block += name;
    *block += static_cast<char>(value.size());
    *block += value;
  }

  void SendFrame(char type, char flags, char stream, const std::string& payload) {
    std::string frame(2, '\0');
    frame += static_cast<char>(payload.size());
    frame += type;
    frame += flags;
    frame += std::string(3, '\0');
    frame += stream;
    Send(frame + payload);
  }

  void Send(const std::string& bytes) {
    EXPECT_EQ(::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }

  const Fd socket_;
};

}  // namespace rawgate::gateway
