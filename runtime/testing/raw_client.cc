#include "runtime/testing/raw_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <thread>

namespace rawgate::testing {

RawClient::RawClient(absl::string_view uri) {
  const auto endpoint = net::Endpoint::Parse(uri);
  if (!endpoint.ok()) return;
  const int type = net::IsDatagram(endpoint->transport()) ? SOCK_DGRAM : SOCK_STREAM;
  fd_.Reset(::socket(endpoint->family(), type | SOCK_CLOEXEC, 0));
  timeval patience{};
  patience.tv_sec = kPatience.count();
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (::connect(fd_.get(), endpoint->data(), endpoint->size()) != 0) fd_.Reset();
}

bool RawClient::Send(absl::string_view bytes) {
  do {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  } while (!bytes.empty());
  return true;
}

std::optional<std::string> RawClient::ReadSome() {
  std::string buffer(64 * 1024, '\0');
  const ssize_t received = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (received < 0) return std::nullopt;
  buffer.resize(static_cast<size_t>(received));
  return received == 0 ? std::nullopt : std::optional(std::move(buffer));
}

std::string RawClient::ReadExactly(size_t size) {
  std::string all(size, '\0');
  size_t filled = 0;
  while (filled < size) {
    const ssize_t received = ::recv(fd_.get(), all.data() + filled, size - filled, 0);
    if (received <= 0) break;
    filled += static_cast<size_t>(received);
  }
  all.resize(filled);
  return all;
}

std::string RawClient::ReadToEnd() {
  std::string all;
  while (const auto some = ReadSome()) all += *some;
  return all;
}

void RawClient::HalfClose() { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::Reset() {
  const linger now{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  fd_.Reset();
}

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace rawgate::testing
