// echo over plain sockets: upper case over TCP, a greeting over UDP.
//
// Usage: echo_raw [HOST [PORT]]
#include <exception>
#include <iostream>
#include <string>

#include "socket.h"

int main(int argc, char** argv) try {
  const char* const host = argc > 1 ? argv[1] : "127.0.0.1";
  const char* const port = argc > 2 ? argv[2] : "8080";

  const Socket stream(host, port, SOCK_STREAM);
  stream.Send("hello");
  // The service answers all that it has, then ends the stream as well. Without this both sides
  // would wait for each other.
  stream.EndSending();
  std::string answer;
  // One recv() returns what has come so far, maybe less than was sent, so we read until nothing
  // comes any more.
  for (std::string piece; !(piece = stream.Receive(4096)).empty();) answer += piece;
  std::cout << "tcp: " << answer << "\n";

  const Socket datagrams(host, port, SOCK_DGRAM);
  datagrams.Send("hello");
  // A datagram is whole, or it does not come at all.
  std::cout << "udp: " << datagrams.Receive(65535) << "\n";
} catch (const std::exception& error) {
  std::cerr << "echo_raw: " << error.what() << "\n";
  return 1;
}
