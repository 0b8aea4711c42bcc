// The time over UDP: the datagram is a strftime format, the answer is the time in it.
//
// Usage: time_raw [HOST [PORT]]
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "socket.h"

constexpr int kTries = 3;

// UDP loses datagrams, theirs and ours, and tells nobody. Asking twice does no harm here, so we ask
// again.
std::string Ask(const Socket& socket, const char* format) {
  for (int i = 0; i < kTries; ++i) {
    socket.Send(format);
    try {
      return socket.Receive(1024);
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::resource_unavailable_try_again) throw;  // EAGAIN: not in time
    }
  }
  throw std::runtime_error("no answer to any datagram");
}

int main(int argc, char** argv) try {
  const char* const host = argc > 1 ? argv[1] : "127.0.0.1";
  const char* const port = argc > 2 ? argv[2] : "9000";
  std::cout << "time: " << Ask(Socket(host, port, SOCK_DGRAM, 1), "%Y-%m-%d %H:%M:%S") << "\n";
} catch (const std::exception& error) {
  std::cerr << "time_raw: " << error.what() << "\n";
  return 1;
}
