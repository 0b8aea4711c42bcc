// A blocking socket client, such as the ones out there, for tests. Every wait ends after kPatience
// with a test failure's empty result.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "runtime/base/fd.h"
#include "runtime/net/endpoint.h"

namespace rawgate::testing {

inline constexpr std::chrono::seconds kPatience{30};

class RawClient {
 public:
  // Connects (for udp:// sets the peer). Check connected().
  explicit RawClient(absl::string_view uri);
  // Of a socket that is connected.
  explicit RawClient(Fd fd) : fd_(std::move(fd)) {}

  bool connected() const { return static_cast<bool>(fd_); }
  int fd() const { return fd_.get(); }

  // Sends everything. False when the peer is gone.
  bool Send(absl::string_view bytes);
  // One recv(2): nullopt at FIN, reset or time-out.
  std::optional<std::string> ReadSome();
  // Exactly `size` bytes, or fewer when the stream ends first.
  std::string ReadExactly(size_t size);
  // Everything until the peer's FIN; a reset adds nothing.
  std::string ReadToEnd();
  // Ends our direction (FIN).
  void HalfClose();
  // Ends the connection with a reset.
  void Reset();
  void Close() { fd_.Reset(); }

 private:
  Fd fd_;
};

// Polls `condition` until it is true. False when it is not within kPatience.
bool Eventually(const std::function<bool()>& condition);

}  // namespace rawgate::testing
