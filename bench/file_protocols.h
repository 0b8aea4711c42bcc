// The two protocols that file transfers are measured with: that of services/file/PROTOCOL.md, which
// the bare loops speak too, and HTTP/1.1. Every function ends the program when the other side does
// not do what is expected of it.
#pragma once

#include <sys/sendfile.h>
#include <sys/stat.h>

#include <string>
#include <string_view>

#include "bench/sockets.h"

namespace rawgate::bench {

enum class FileProtocol : uint8_t { kRawgate, kHttp };

[[noreturn]] inline void FailExchange(const char* what, std::string_view detail = "") {
  std::fprintf(stderr, "%s: %.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::exit(1);
}

inline FileProtocol ParseFileProtocol(std::string_view name) {
  if (name == "rawgate") return FileProtocol::kRawgate;
  if (name != "http") FailExchange("no such protocol", name);
  return FileProtocol::kHttp;
}

// A header is preceded by its size.
inline std::string SizedHeader(std::string_view json) {
  const auto size = static_cast<int32_t>(json.size());
  std::string header(sizeof(size), '\0');
  std::memcpy(header.data(), &size, sizeof(size));
  return header.append(json);
}

// `digest` is a member to add to rawgate's header, such as "md5":"...", or empty.
inline std::string UploadHeader(FileProtocol protocol, const std::string& name, size_t size,
                                const std::string& digest) {
  if (protocol == FileProtocol::kHttp) {
    return "PUT /" + name +
           " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  }
  return SizedHeader("{\"filename\":\"" + name + "\",\"filesize\":" + std::to_string(size) +
                     (digest.empty() ? "" : "," + digest) + "}");
}

inline std::string DownloadHeader(FileProtocol protocol, const std::string& name) {
  if (protocol == FileProtocol::kHttp) {
    return "GET /" + name + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  return SizedHeader("{\"op\":\"download\",\"filename\":\"" + name + "\"}");
}

inline void SendAll(int fd, std::string_view bytes, int flags = 0) {
  while (!bytes.empty()) {
    bytes.remove_prefix(static_cast<size_t>(
        Check(send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | flags), "send")));
  }
}

// False: the connection ended instead.
inline bool ReceiveAll(int fd, char* buffer, size_t size) {
  return Check(recv(fd, buffer, size, MSG_WAITALL), "recv") == static_cast<ssize_t>(size);
}

// False: the connection ended instead.
inline bool ReceiveSizedHeader(int fd, std::string* json) {
  int32_t size = 0;
  if (!ReceiveAll(fd, reinterpret_cast<char*>(&size), sizeof(size))) return false;
  json->resize(static_cast<size_t>(size));
  return ReceiveAll(fd, json->data(), json->size());
}

// The number after `key` in a header; 0 when it is not there.
inline uint64_t NumberAfter(std::string_view header, std::string_view key) {
  const size_t at = header.find(key);
  return at == std::string_view::npos ? 0 : ParseNumber(header.data() + at + key.size());
}

// Reads the header of a reply that has to tell of success, and no further: returns how many bytes
// of a file follow it.
inline uint64_t ReceiveReply(int fd, FileProtocol protocol) {
  std::string header;
  if (protocol == FileProtocol::kRawgate) {
    if (!ReceiveSizedHeader(fd, &header)) FailExchange("no reply");
    if (header.find("\"status\":\"ok\"") == std::string::npos) FailExchange("refused", header);
    // That of an upload has it too, and nothing follows.
    return header.find("\"total_size\"") == std::string::npos
               ? 0
               : NumberAfter(header, "\"filesize\":");
  }
  char byte = '\0';
  while (!header.ends_with("\r\n\r\n")) {
    if (!ReceiveAll(fd, &byte, 1)) FailExchange("no reply");
    header.push_back(byte);
  }
  if (!header.starts_with("HTTP/1.1 2")) FailExchange("refused", header);
  return NumberAfter(header, "Content-Length: ");
}

inline int ConnectTo(uint16_t port) {
  const sockaddr_in address = Loopback(port);
  const int fd = Check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  Check(connect(fd, Generic(address), sizeof(address)), "connect");
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return fd;
}

}  // namespace rawgate::bench
