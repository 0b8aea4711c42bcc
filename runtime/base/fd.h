// Owner of a file descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace rawgate {

class Fd {
 public:
  Fd() = default;
  // Takes ownership of `fd`; a negative value owns nothing.
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { Reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) Reset(std::exchange(other.fd_, -1));
    return *this;
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  // Gives ownership up.
  int Release() { return std::exchange(fd_, -1); }
  void Reset(int fd = -1) {
    // close(2) is not retried on EINTR: on Linux the descriptor is gone either way.
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace rawgate
